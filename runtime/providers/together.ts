/** Together AI. */
import { compatible } from './compatible.ts';

export const together = compatible({
  // docs.together.ai/docs/inference/openai-compatibility
  baseUrl: 'https://api.together.ai/v1',
  // The one name it documents (togethercomputer/together-py, types/chat/completion_create_params.py).
  quirks: { outputCap: 'max_tokens' },
});
