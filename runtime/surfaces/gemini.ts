/** The Gemini surface: generateContent, whole and streamed, the count of tokens, embeddings, and the list of models. */
import { gemini as dialect, geminiCount } from '../dialects/gemini.ts';
import { geminiEmbedding, geminiEmbeddings } from '../dialects/gemini-embeddings.ts';
import type { Surface, SurfaceCall, SurfaceTask } from './surface.ts';

/** ai.google.dev/api/models, Model. */
const writeModel = (name: string) => ({
  name: `models/${name}`,
  baseModelId: name,
  version: '1',
  displayName: name,
  supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
});

const callsAt = (version: string): readonly [SurfaceCall, ...SurfaceCall[]] => [
  { path: `/${version}/models/{model}:generateContent`, dialect, says: { stream: false } },
  {
    path: `/${version}/models/{model}:streamGenerateContent`,
    dialect,
    says: { stream: true },
    // Without it Google answers one long JSON array; its SDKs always ask for events.
    query: { alt: 'sse' },
  },
  {
    path: `/${version}/models/{model}:countTokens`,
    dialect: geminiCount,
    writeCount: (tokens) => ({ totalTokens: tokens }),
  },
];

const tasksAt = (version: string): readonly SurfaceTask[] => [
  { path: `/${version}/models/{model}:batchEmbedContents`, task: geminiEmbeddings.client, kind: 'embedding' },
  { path: `/${version}/models/{model}:embedContent`, task: geminiEmbedding.client, kind: 'embedding' },
];

export const gemini: Surface = {
  // The documentation and older SDKs have v1beta, `@google/genai` has v1 since its version 3.
  calls: [...callsAt('v1beta'), ...callsAt('v1')],
  tasks: [...tasksAt('v1beta'), ...tasksAt('v1')],
  modelsPath: '/v1beta/models',
  otherModelsPath: '/v1/models',
  writeModels: (names) => ({ models: names.map(writeModel) }),
  writeModel,
  writeError: (error) => dialect.writeError(error),
  // The header of keys, and the one in which Google's SDKs tell their version.
  isSpokenBy: (headers) => headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined,
};
