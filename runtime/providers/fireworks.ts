/** Fireworks AI. */
import { compatible } from './compatible.ts';

// Its API knows every field that is translated (fw-ai-external/python-sdk, types/chat/completion_create_params.py).
export const fireworks = compatible({ baseUrl: 'https://api.fireworks.ai/inference/v1' });
