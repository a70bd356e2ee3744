/** xAI. */
import { compatible } from './compatible.ts';

export const xai = compatible({
  baseUrl: 'https://api.x.ai/v1',
  quirks: {
    lacks: {
      // "not supported by reasoning models" (docs.x.ai/docs/models): all but those that say otherwise in their names.
      stop: /^grok-(3-mini|code|4|[5-9]|latest)(?!.*non-reasoning)/,
      // Models that reason as they like answer 400 (NousResearch/hermes-agent#23435 lists which, asked in 2026).
      reasoning_effort: /^grok-(2|3(?!-mini)|code|4(?!\.[3-9])(?!\.20-multi-agent))/,
    },
  },
});
