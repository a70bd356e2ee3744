/** The registry of surfaces. The first one words the errors of paths that belong to none. */
export { openai } from './openai.ts';
export { gemini } from './gemini.ts';
