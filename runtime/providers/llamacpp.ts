/** A llama.cpp server (`llama-server`), on this machine unless `baseUrl` says where. */
import { compatible } from './compatible.ts';

export const llamacpp = compatible({
  baseUrl: 'http://localhost:8080/v1',
  quirks: {
    // The newer name is known since February 2026 only, and was ignored before (ggml-org/llama.cpp#19831).
    outputCap: 'max_tokens',
    // ggml-org/llama.cpp, tools/server/README.md, "reasoning support"
    earlierReasoning: 'reasoning_content',
  },
});
