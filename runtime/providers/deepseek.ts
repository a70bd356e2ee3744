/** DeepSeek. */
import { compatible } from './compatible.ts';

export const deepseek = compatible({
  // Its documentation names the address without a version (api-docs.deepseek.com).
  baseUrl: 'https://api.deepseek.com',
  quirks: {
    // Its fields are listed at api-docs.deepseek.com/api/create-chat-completion: no seed, user or parallel_tool_calls.
    outputCap: 'max_tokens',
    lacks: { seed: true, user: true, parallel_tool_calls: true },
    // "unknown variant `developer`, expected one of `system`, …" (theopenco/llmgateway#3462).
    developerRole: 'system',
    // Formats are text and json_object; a schema is answered with 400 (same page; llm-exe/llm-exe#662).
    answerSchema: 'nowhere',
    // What was reasoned before a tool call must come back, or the answer is 400 (api-docs.deepseek.com/guides/thinking_mode).
    earlierReasoning: 'reasoning_content',
  },
});
