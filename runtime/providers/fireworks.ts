/** Fireworks AI. Its API knows every field that is translated (fw-ai-external/python-sdk, completion_create_params.py). */
import { compatible } from './compatible.ts';

export const fireworks = compatible({ baseUrl: 'https://api.fireworks.ai/inference/v1' });
