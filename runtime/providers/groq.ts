/** Groq. It refuses fields that it does not know. */
import { compatible } from './compatible.ts';

export const groq = compatible({
  baseUrl: 'https://api.groq.com/openai/v1',
  quirks: {
    // "will result in a 400 error": messages[].name, beside fields that are never translated (console.groq.com/docs/openai).
    lacks: { 'messages.name': true },
  },
});
