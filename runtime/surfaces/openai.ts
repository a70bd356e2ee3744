/** The OpenAI surface: chat completions, responses, the operations beside them, and the list of models. */
import { openaiChat } from '../dialects/openai-chat.ts';
import { openaiEmbeddings } from '../dialects/openai-embeddings.ts';
import { openaiHoldings } from '../dialects/openai-holdings.ts';
import { openaiResponses } from '../dialects/openai-responses.ts';
import * as tasks from '../dialects/openai-tasks.ts';
import type { Surface } from './surface.ts';

/** Models have no birthday here; a fixed time keeps answers equal from start to start. */
const created = 1_700_000_000;
const writeModel = (name: string) => ({ id: name, object: 'model', created, owned_by: 'headgate' });

export const openai: Surface = {
  calls: [
    { path: '/v1/chat/completions', dialect: openaiChat },
    { path: '/v1/responses', dialect: openaiResponses },
    {
      path: '/v1/responses/input_tokens',
      dialect: openaiResponses,
      writeCount: (tokens) => ({ object: 'response.input_tokens', input_tokens: tokens }),
    },
  ],
  tasks: [
    { path: '/v1/embeddings', task: openaiEmbeddings.client, kind: 'embedding' },
    { path: '/v1/completions', task: tasks.completions, kind: 'completion' },
    { path: '/v1/moderations', task: tasks.moderations, kind: 'moderation' },
    { path: '/v1/rerank', task: tasks.anyRerank, kind: 'rerank' },
    { path: '/v1/images/generations', task: tasks.imageGenerations, kind: 'image' },
    { path: '/v1/images/edits', task: tasks.imageEdits, kind: 'image', takesForms: true },
    { path: '/v1/images/variations', task: tasks.imageVariations, kind: 'image', takesForms: true },
    { path: '/v1/audio/speech', task: tasks.speech, kind: 'speech' },
    { path: '/v1/audio/transcriptions', task: tasks.transcriptions, kind: 'transcription', takesForms: true },
    { path: '/v1/audio/translations', task: tasks.translations, kind: 'transcription', takesForms: true },
  ],
  holdings: openaiHoldings,
  hasOwnSchemas: true,
  modelsPath: '/v1/models',
  writeModels: (names) => ({ object: 'list', data: names.map(writeModel) }),
  writeModel,
  writeError: (error) => openaiChat.writeError(error),
};
