/** The Gemini surface: generateContent, whole and streamed, and the list of models. */
import { gemini as dialect } from '../dialects/gemini.ts';
import type { Surface } from './surface.ts';

/** ai.google.dev/api/models, Model. */
const writeModel = (name: string) => ({
  name: `models/${name}`,
  baseModelId: name,
  version: '1',
  displayName: name,
  supportedGenerationMethods: ['generateContent', 'streamGenerateContent'],
});

export const gemini: Surface = {
  calls: [
    { path: '/v1beta/models/{model}:generateContent', dialect, says: { stream: false } },
    {
      path: '/v1beta/models/{model}:streamGenerateContent',
      dialect,
      says: { stream: true },
      // Without it Google answers one long JSON array; its SDKs always ask for events.
      query: { alt: 'sse' },
    },
  ],
  modelsPath: '/v1beta/models',
  writeModels: (names) => ({ models: names.map(writeModel) }),
  writeModel,
  writeError: (error) => dialect.writeError(error),
};
