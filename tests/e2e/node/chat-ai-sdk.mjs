// Vercel's AI SDK over chat completions, with both of its providers for them.

import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';

import { loops } from './ai-sdk.mjs';
import { INPUT, KEY, run } from './loops.mjs';

const settings = { baseURL: INPUT.base_url, apiKey: KEY };
const compatible = createOpenAICompatible({ ...settings, name: 'gateway', supportsStructuredOutputs: true });
const { tools, structured } = loops(compatible);

await run({
  ...loops(createOpenAI(settings).chat),
  tools_compatible: tools,
  structured_compatible: structured,
});
