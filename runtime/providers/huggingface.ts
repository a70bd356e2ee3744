/** The router of Hugging Face's inference providers. A model id may name one: `openai/gpt-oss-120b:groq`. */
import { compatible } from './compatible.ts';

export const huggingface = compatible({
  baseUrl: 'https://router.huggingface.co/v1',
  quirks: {
    // Its fields are listed in huggingface/hub-docs, docs/inference-providers/tasks/chat-completion.md. Effort is none of
    // them, but what answers is another vendor, and most of those know it.
    outputCap: 'max_tokens',
    lacks: { user: true, parallel_tool_calls: true },
  },
});
