/** The registry of provider kinds: the export name is the `kind` in config. */
export { anthropic } from './anthropic.ts';
export { google } from './google.ts';
export { openai } from './openai.ts';
export { sandbox } from './sandbox.ts';
