/** The router of Hugging Face's inference providers. A model id may name one: `openai/gpt-oss-120b:groq`. */
import { compatible } from './compatible.ts';

export const huggingface = compatible({
  baseUrl: 'https://router.huggingface.co/v1',
  quirks: {
    // All fields that it has: huggingface/hub-docs, docs/inference-providers/tasks/chat-completion.md.
    outputCap: 'max_tokens',
    lacks: { user: true, parallel_tool_calls: true },
  },
});
