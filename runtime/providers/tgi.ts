/** A server of Hugging Face's text-generation-inference, on this machine unless `baseUrl` says where. */
import { compatible } from './compatible.ts';

export const tgi = compatible({
  // huggingface/text-generation-inference, docs/source/reference/api_reference.md
  baseUrl: 'http://localhost:3000/v1',
  quirks: {
    // All fields that it has: docs/openapi.json there, `ChatRequest`; of the cap see also #2844.
    outputCap: 'max_tokens',
    lacks: { user: true, parallel_tool_calls: true, reasoning_effort: true },
  },
});
