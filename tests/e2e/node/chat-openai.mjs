// openai-node: its own helpers, whose messages go back as they are, with what they parsed in them.

import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';

import { CALL, City, GREETING, INPUT, KEY, QUESTION, Trip, get_time, get_weather, joined, run } from './loops.mjs';

const client = new OpenAI({ baseURL: INPUT.base_url, apiKey: KEY, maxRetries: 0 });
const functions = { get_weather, get_time };
const tools = Object.entries(functions).map(([name, own]) =>
  zodFunction({ name, parameters: City, function: own, description: 'Tells about a city.' }),
);
const user = (content) => ({ role: 'user', content });

const parse = async (request) => (await client.chat.completions.parse(request)).choices[0].message;
const stream = async (request) =>
  (await client.chat.completions.stream(request).finalChatCompletion()).choices[0].message;

const toolLoop = (ask) => async (model) => {
  const messages = [user(CALL)];
  const called = await ask({ model, messages, tools });
  messages.push(called);
  for (const call of called.tool_calls) {
    const content = functions[call.function.name](call.function.parsed_arguments);
    messages.push({ role: 'tool', tool_call_id: call.id, content });
  }
  const answered = await ask({ model, messages, tools });
  messages.push(answered, user(GREETING));
  const greeted = await ask({ model, messages, tools });
  return [answered.content, greeted.content];
};

const structuredLoop = (ask) => async (model) => {
  const messages = [user(QUESTION)];
  const response_format = zodResponseFormat(Trip, 'trip');
  messages.push(await ask({ model, messages, response_format }), user('And then?'));
  return (await ask({ model, messages, response_format })).parsed;
};

const runner = (options) => async (model) => {
  const running = client.chat.completions.runTools({ model, messages: [user(CALL)], tools, ...options });
  return running.finalContent();
};

const deltas = async function* (model) {
  const chunks = await client.chat.completions.create({ model, messages: [user(GREETING)], stream: true });
  for await (const chunk of chunks) {
    yield chunk.choices[0]?.delta?.content ?? '';
  }
};

await run({
  tools: runner({}),
  tools_streamed: runner({ stream: true }),
  helper_parse: toolLoop(parse),
  helper_stream: toolLoop(stream),
  structured: structuredLoop(parse),
  structured_streamed: structuredLoop(stream),
  stream: (model) => joined(deltas(model)),
});
