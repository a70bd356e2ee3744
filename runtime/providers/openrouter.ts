/** OpenRouter, which words every vendor's models as OpenAI's. Attribution headers go into `headers`. */
import { compatible } from './compatible.ts';

export const openrouter = compatible({
  baseUrl: 'https://openrouter.ai/api/v1',
  // Reasoning is given in `reasoning` and taken back there (openrouter.ai/docs/guides/best-practices/reasoning-tokens).
  quirks: { earlierReasoning: 'reasoning' },
});
