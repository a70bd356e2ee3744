/** Cerebras. It refuses fields that it does not know. */
import { compatible } from './compatible.ts';

export const cerebras = compatible({
  baseUrl: 'https://api.cerebras.ai/v1',
  quirks: {
    // All fields and roles that it has: Cerebras/cerebras-cloud-sdk-node, src/resources/chat/completions.ts.
    developerRole: 'system',
    efforts: ['low', 'medium', 'high'],
    // `reasoning_content` is refused (Kilo-Org/kilocode#10375).
    earlierReasoning: 'reasoning',
  },
});
