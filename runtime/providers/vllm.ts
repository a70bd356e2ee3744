/** A vLLM server, on this machine unless `baseUrl` says where. */
import { compatible } from './compatible.ts';

export const vllm = compatible({
  baseUrl: 'http://localhost:8000/v1',
  // "user parameter is ignored" (docs.vllm.ai, OpenAI-compatible server).
  quirks: { lacks: { user: true } },
});
