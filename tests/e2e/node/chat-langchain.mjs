// LangChain.js: an agent with tools, structured output by both of its methods, a stream.

import { ChatOpenAI } from '@langchain/openai';
import { createAgent, tool } from 'langchain';

import { CALL, City, GREETING, INPUT, KEY, QUESTION, Trip, get_time, get_weather, joined, run } from './loops.mjs';

const chat = (model) =>
  new ChatOpenAI({ model, apiKey: KEY, maxRetries: 0, configuration: { baseURL: INPUT.base_url } });

const tools = [get_weather, get_time].map((own) =>
  tool(own, { name: own.name, description: 'Tells about a city.', schema: City }),
);
const agent = (model) => createAgent({ model: chat(model), tools });
const asked = { messages: [{ role: 'user', content: CALL }] };

const structured = (method) => (model) =>
  chat(model).withStructuredOutput(Trip, { method, name: 'trip' }).invoke(QUESTION);

const deltas = async function* (model) {
  for await (const chunk of await chat(model).stream(GREETING)) {
    yield chunk.text;
  }
};

/** What the agent says after the results. */
const answers = async function* (model) {
  for await (const [chunk, step] of await agent(model).stream(asked, { streamMode: 'messages' })) {
    yield step.langgraph_step === 3 ? chunk.text : '';
  }
};

await run({
  tools: async (model) => (await agent(model).invoke(asked)).messages.at(-1).text,
  tools_streamed: (model) => joined(answers(model)),
  structured: structured('jsonSchema'),
  structured_by_tool: structured('functionCalling'),
  stream: (model) => joined(deltas(model)),
});
