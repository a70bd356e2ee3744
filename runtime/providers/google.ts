/** Google AI, and every server that speaks its generateContent API. */
import { z } from 'zod';
import { gemini } from '../dialects/gemini.ts';
import { baseUrl, checkEndpoint, endpointFields, lowerCaseNames, splitBaseUrl } from './options.ts';
import type { Api, ProviderKind } from './provider.ts';

const options = z
  .strictObject({
    // Google's SDKs put the version into the path, not into the base URL, unlike OpenAI's.
    baseUrl: baseUrl
      .refine((url) => !/\/v1(beta)?\/*$/.test(url), 'must not end in /v1beta; it is added')
      .default('https://generativelanguage.googleapis.com'),
    ...endpointFields,
  })
  .superRefine(checkEndpoint('generativelanguage.googleapis.com'));

/** ai.google.dev/api/generate-content: the model, and whether the answer streams, stand in the path. */
const generateContent = (path: string): Api => ({
  dialect: gemini,
  address({ model, stream, ...body }) {
    const method = stream === true ? 'streamGenerateContent?alt=sse' : 'generateContent';
    const name = encodeURIComponent(typeof model === 'string' ? model : '');
    return { path: `${path}/v1beta/models/${name}:${method}`, body };
  },
});

export const google: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret) {
    const { origin, path } = splitBaseUrl(chosen.baseUrl);
    const headers = lowerCaseNames(chosen.headers);
    // The header, never the `key` of the query: that one ends up in logs (ai.google.dev/gemini-api/docs/api-key).
    if (chosen.apiKey !== undefined) headers['x-goog-api-key'] = readSecret(chosen.apiKey);
    return { origin, apis: [generateContent(path)], headers };
  },
};
