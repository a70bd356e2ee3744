/** The registry of surfaces. Those that tell their clients from others' come after those that do not, whatever their names. */
export { anthropic } from './anthropic.ts';
export { openai } from './openai.ts';
export { gemini } from './gemini.ts';
