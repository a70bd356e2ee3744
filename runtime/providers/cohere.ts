/** Cohere, through its compatibility API. */
import { compatible } from './compatible.ts';

export const cohere = compatible({
  baseUrl: 'https://api.cohere.ai/compatibility/v1',
  quirks: {
    // Supported and unsupported fields are listed at docs.cohere.com/docs/compatibility-api.
    outputCap: 'max_tokens',
    lacks: { user: true, tool_choice: true, parallel_tool_calls: true },
    efforts: ['none', 'high'],
    answerSchema: 'json_object',
  },
});
