/** Perplexity's Sonar. */
import { compatible } from './compatible.ts';

export const perplexity = compatible({
  // docs.perplexity.ai/docs/sonar/openai-compatibility: no version in the path.
  baseUrl: 'https://api.perplexity.ai',
  quirks: {
    // All fields that it has: perplexityai/perplexity-py, types/chat/completion_create_params.py.
    outputCap: 'max_tokens',
    lacks: { seed: true, user: true },
    namedTool: 'alone',
    jsonObject: false,
    efforts: ['minimal', 'low', 'medium', 'high'],
    // Usage is in every chunk, and most models end without [DONE] (perplexityai/api-discussion#209).
    streamUsage: 'unasked',
    streamEnd: 'finish_reason',
  },
});
