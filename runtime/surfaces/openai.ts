/** The OpenAI surface: chat completions and the list of models. */
import { openaiChat } from '../dialects/openai-chat.ts';
import type { Surface } from './surface.ts';

/** Models have no birthday here; a fixed time keeps answers equal from start to start. */
const created = 1_700_000_000;
const writeModel = (name: string) => ({ id: name, object: 'model', created, owned_by: 'headgate' });

export const openai: Surface = {
  callPaths: ['/v1/chat/completions'],
  modelsPath: '/v1/models',
  dialect: openaiChat,
  writeModels: (names) => ({ object: 'list', data: names.map(writeModel) }),
  writeModel,
};
