/** An Ollama server, on this machine unless `baseUrl` says where. It asks for no key. */
import { compatible } from './compatible.ts';

export const ollama = compatible({
  baseUrl: 'http://localhost:11434/v1',
  quirks: {
    // Fields with and without a mark: ollama/ollama, docs/api/openai-compatibility.mdx. The newer name of the cap is
    // ignored (ollama/ollama#14464), and what answers is then without bounds.
    outputCap: 'max_tokens',
    lacks: { tool_choice: true, user: true, parallel_tool_calls: true },
    // Roles go to the model's template as they are, and templates know system (ollama/ollama-python#453).
    developerRole: 'system',
  },
});
