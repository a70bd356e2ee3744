/** LM Studio's server, on this machine unless `baseUrl` says where. */
import { compatible } from './compatible.ts';

export const lmstudio = compatible({
  baseUrl: 'http://localhost:1234/v1',
  quirks: {
    // All fields that it has: lmstudio-ai/docs, 1_developer/3_openai-compat/chat-completions.md.
    outputCap: 'max_tokens',
    lacks: { user: true, parallel_tool_calls: true },
    // "Invalid tool_choice type: 'object'" (lmstudio-ai/lmstudio-bug-tracker#670).
    namedTool: 'alone',
    // json_schema and text (same docs, 0_app/4_api/structured-output.md and 0_app/0_root/api-changelog.md, 0.3.18).
    jsonObject: false,
  },
});
