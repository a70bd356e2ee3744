/** Mistral's own API. It refuses every field that it does not know. */
import { compatible } from './compatible.ts';

export const mistral = compatible({
  baseUrl: 'https://api.mistral.ai/v1',
  quirks: {
    // All fields that it has: mistralai/client-python, src/mistralai/client/models/chatcompletionrequest.py. What it
    // says to others: 422 extra_forbidden for max_completion_tokens (editor-code-assistant/eca#231), stream_options
    // (dnakov/anon-kode#53, where usage came unasked) and the name of a message (Gage-Technologies/mistral-go#2).
    outputCap: 'max_tokens',
    seed: 'random_seed',
    streamUsage: 'unasked',
    lacks: { user: true, 'messages.name': true },
    // The roles of its messages are assistant, system, tool and user (same file).
    developerRole: 'system',
    // "must be a-z, A-Z, 0-9, with a length of 9" (langchain-ai/langchain#24668).
    toolCallIds: 'nine alphanumerics',
    // mistralai/client-python, docs/models/reasoningeffort.md
    efforts: ['none', 'high'],
  },
});
