/**
 * Cohere's reranking on Amazon Bedrock, through InvokeModel, for vendors (docs.opensearch.org/latest/vector-search/tutorials/
 * reranking/reranking-cohere-bedrock). Of Amazon's own reranker no body was found documented. Bedrock counts nothing here.
 */
import type { JsonObject } from '../call.ts';
import { CallError } from './dialect.ts';
import { withoutUndefined } from './json-fields.ts';
import { resultsIn } from './rerank-fields.ts';
import type { VendorRerank, VendorTask } from './task.ts';

export const bedrockRerank = {
  name: 'bedrock-rerank',
  readAnswer(body) {
    resultsIn(body);
    return undefined;
  },
  readEvent: () => undefined,
  isEnd: () => false,
  rerank: {
    writeCall({ query, documents, most, untranslated }, model) {
      if (!/(^|[./])cohere\.rerank-/.test(model))
        throw new CallError(
          "model has an id at Bedrock that does not name Cohere's reranking: no body is known.",
          'model',
        );
      const body = withoutUndefined<JsonObject>({ query, documents, top_n: most, api_version: 2 });
      return { body, dropped: untranslated };
    },
    readAnswer: (body) => ({ results: resultsIn(body) }),
  },
} satisfies VendorTask & { rerank: VendorRerank };
