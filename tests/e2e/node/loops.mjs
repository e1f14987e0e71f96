// What the scripts share: what they ask each model, and how they tell what came of it.
//
// A script has a function for each loop, which takes the name of a model and returns an answer.

import { z } from 'zod';

export const INPUT = JSON.parse(process.argv[2]);
export const KEY = 'sk-client-secret';

/** The tools that the model is asked to call, and what it answers when it has their results. */
export const CALL = 'call get_weather and get_time';
/** What a stream is asked, and a question whose answer has a shape. */
export const GREETING = 'Hi there';
export const QUESTION = 'Where to?';

/** A trip, with bounds as applications have them. */
export const Trip = z.object({
  city: z.string().min(1).max(80),
  days: z.number().int().min(1).max(14),
  tags: z.array(z.string()).min(1).max(5),
});

export const City = z.object({ city: z.string() });
export const get_weather = ({ city }) => `get_weather of ${city}`;
export const get_time = ({ city }) => `get_time of ${city}`;

async function attempt(loop, model) {
  try {
    return await loop(model);
  } catch (error) {
    console.error(error);
    return String(error);
  }
}

/** Plays every loop with every model, and prints what came of each. */
export async function run(loops) {
  const found = {};
  for (const model of INPUT.models) {
    found[model] = {};
    for (const [name, loop] of Object.entries(loops)) {
      found[model][name] = await attempt(loop, model);
    }
  }
  process.stdout.write(JSON.stringify(found));
}

/** The pieces of a stream as one text. */
export async function joined(pieces) {
  let text = '';
  for await (const piece of pieces) {
    text += piece;
  }
  return text;
}
