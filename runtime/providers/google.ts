/** Google AI, and every server that speaks its generateContent API. */
import type { JsonObject } from '../call.ts';
import { gemini } from '../dialects/gemini.ts';
import { geminiEmbedding, geminiEmbeddings } from '../dialects/gemini-embeddings.ts';
import type { Zod } from '../zod.ts';
import { baseUrl, checkEndpoint, endpointFields, lowerCaseNames, splitBaseUrl } from './options.ts';
import type { Address, Api, ProviderKind, TaskApi } from './provider.ts';

const options = (z: Zod) =>
  z
    .strictObject({
      // Google's SDKs put the version into the path, not into the base URL, unlike OpenAI's.
      baseUrl: baseUrl(z)
        .refine((url) => !/\/v1(beta)?\/*$/.test(url), 'must not end in /v1beta; it is added')
        .default('https://generativelanguage.googleapis.com'),
      ...endpointFields(z),
    })
    .superRefine(checkEndpoint('generativelanguage.googleapis.com'));

/** ai.google.dev/api/generate-content and /tokens: the model, and what is asked of it, stand in the path. */
function generateContent(path: string): Api {
  const at = (body: JsonObject, method: string): Address => {
    const { model, stream: _, ...sent } = body;
    const name = encodeURIComponent(typeof model === 'string' ? model : '');
    return { path: `${path}/v1beta/models/${name}:${method}`, body: sent };
  };
  return {
    dialect: gemini,
    address: (body) => at(body, body.stream === true ? 'streamGenerateContent?alt=sse' : 'generateContent'),
    countAddress: (body) => at(body, 'countTokens'),
  };
}

/** ai.google.dev/api/embeddings. */
const embeddings = (path: string): readonly TaskApi[] => {
  const at = (method: string) => (model: string) => `${path}/v1beta/models/${encodeURIComponent(model)}:${method}`;
  return [
    { task: geminiEmbeddings.vendor, path: at('batchEmbedContents') },
    { task: geminiEmbedding.vendor, path: at('embedContent') },
  ];
};

export const google: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret) {
    const { origin, path } = splitBaseUrl(chosen.baseUrl);
    const headers = lowerCaseNames(chosen.headers);
    // The header, never the `key` of the query: that one ends up in logs (ai.google.dev/gemini-api/docs/api-key).
    if (chosen.apiKey !== undefined) headers['x-goog-api-key'] = readSecret(chosen.apiKey);
    return { origin, apis: [generateContent(path)], tasks: embeddings(path), headers };
  },
};
