/** xAI. */
import { compatible } from './compatible.ts';

export const xai = compatible({
  baseUrl: 'https://api.x.ai/v1',
  quirks: {
    lacks: {
      // Reasoning models refuse it; their aliases without reasoning take it (langchain-ai/langchain#38335).
      stop: /^grok-(?!2)(?!.*non-reasoning)/,
      // Models that reason as they like answer 400 (NousResearch/hermes-agent#23435 lists which, asked in 2026).
      reasoning_effort: /^grok-(2|3(?!-mini)|code|4(?!\.[3-9])(?!\.20-multi-agent))/,
    },
  },
});
