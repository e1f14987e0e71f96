// Vercel's AI SDK over Responses. Unless it is told that nothing is stored, it refers to items instead of sending them.

import { createOpenAI } from '@ai-sdk/openai';

import { loops } from './ai-sdk.mjs';
import { INPUT, KEY, run } from './loops.mjs';

const { responses } = createOpenAI({ baseURL: INPUT.base_url, apiKey: KEY });

await run(loops(responses, { openai: { store: false } }));
