/**
 * Cohere's own embeddings and reranking, for vendors (docs.cohere.com/reference/embed and /rerank; types in
 * cohere-ai/cohere-typescript, src/api/resources/v2). Its compatibility API has no purpose, no dimensions and no reranking.
 */
import type { JsonObject, Usage } from '../call.ts';
import { cohereBody } from './embedding-fields.ts';
import { countIn, objectIn, withoutUndefined } from './json-fields.ts';
import { resultsIn } from './rerank-fields.ts';
import type { EmbeddingAnswer, RerankAnswer, VendorEmbeddings, VendorRerank, VendorTask } from './task.ts';
import { vectorsIn } from './task-fields.ts';

/** ApiMeta: what is billed. Reranking is billed by searches, which are no tokens. */
function usageIn(body: JsonObject): Usage | undefined {
  const meta = objectIn(body, 'meta');
  const inputTokens = countIn(objectIn(meta, 'billed_units'), 'input_tokens');
  return inputTokens === undefined ? undefined : { inputTokens, outputTokens: 0 };
}

const quiet = { readEvent: () => undefined, isEnd: () => false };

/** "Maximum number of texts per call is `96`" */
const mostTexts = 96;

function readEmbeddings(body: JsonObject): EmbeddingAnswer {
  const vectors = vectorsIn(objectIn(body, 'embeddings')?.['float']);
  return withoutUndefined<EmbeddingAnswer>({ vectors, usage: usageIn(body) });
}

export const cohereEmbeddings = {
  ...quiet,
  name: 'cohere-embeddings',
  readAnswer: (body) => readEmbeddings(body).usage,
  embeddings: {
    mostInputs: () => mostTexts,
    writeCall(call, model) {
      // "only available for `embed-v4` and newer models"
      const { body, dropped } = cohereBody(call, !/-v[23]\./.test(model));
      return { body: { model, ...body }, dropped };
    },
    readAnswer: readEmbeddings,
  },
} satisfies VendorTask & { embeddings: VendorEmbeddings };

const readRerank = (body: JsonObject): RerankAnswer =>
  withoutUndefined<RerankAnswer>({ results: resultsIn(body), usage: usageIn(body) });

export const cohereRerank = {
  ...quiet,
  name: 'cohere-rerank',
  readAnswer: (body) => readRerank(body).usage,
  rerank: {
    writeCall: ({ query, documents, most, untranslated }, model) => ({
      body: withoutUndefined<JsonObject>({ model, query, documents, top_n: most }),
      dropped: untranslated,
    }),
    readAnswer: readRerank,
  },
} satisfies VendorTask & { rerank: VendorRerank };
