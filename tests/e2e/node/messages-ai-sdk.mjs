// Vercel's AI SDK over Anthropic's Messages. Its address ends in `/v1`, other than that of Anthropic's own clients.

import { createAnthropic } from '@ai-sdk/anthropic';

import { loops } from './ai-sdk.mjs';
import { INPUT, KEY, run } from './loops.mjs';

await run(loops(createAnthropic({ baseURL: INPUT.base_url, apiKey: KEY })));
