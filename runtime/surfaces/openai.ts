/** The OpenAI surface: chat completions, responses and the list of models. */
import { openaiChat } from '../dialects/openai-chat.ts';
import { openaiResponses } from '../dialects/openai-responses.ts';
import type { Surface } from './surface.ts';

/** Models have no birthday here; a fixed time keeps answers equal from start to start. */
const created = 1_700_000_000;
const writeModel = (name: string) => ({ id: name, object: 'model', created, owned_by: 'headgate' });

export const openai: Surface = {
  calls: [
    { path: '/v1/chat/completions', dialect: openaiChat },
    { path: '/v1/responses', dialect: openaiResponses },
  ],
  modelsPath: '/v1/models',
  writeModels: (names) => ({ object: 'list', data: names.map(writeModel) }),
  writeModel,
  writeError: (error) => openaiChat.writeError(error),
};
