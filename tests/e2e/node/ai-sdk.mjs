// What Vercel's AI SDK does with a model, whichever API it speaks.

import { generateObject, generateText, isStepCount, streamObject, streamText, tool } from 'ai';

import { CALL, City, GREETING, QUESTION, Trip, get_time, get_weather, joined } from './loops.mjs';

const tools = Object.fromEntries(
  [get_weather, get_time].map((own) => [
    own.name,
    tool({ description: 'Tells about a city.', inputSchema: City, execute: own }),
  ]),
);

/** The loops with the models that `chat` makes of names, with these options for its provider. */
export function loops(chat, providerOptions = {}) {
  const asked = (model, more) => ({ model: chat(model), maxRetries: 0, providerOptions, ...more });
  const withTools = (model) => asked(model, { tools, prompt: CALL, stopWhen: isStepCount(3) });
  const trip = (model) => asked(model, { schema: Trip, prompt: QUESTION });
  return {
    tools: async (model) => (await generateText(withTools(model))).text,
    tools_streamed: async (model) => {
      const answer = streamText(withTools(model));
      await answer.consumeStream();
      return answer.text;
    },
    structured: async (model) => (await generateObject(trip(model))).object,
    structured_streamed: async (model) => {
      const answer = streamObject(trip(model));
      await joined(answer.textStream);
      return answer.object;
    },
    stream: (model) => joined(streamText(asked(model, { prompt: GREETING })).textStream),
  };
}
