/** Reranking as Jina's JSON has it (api.jina.ai/redoc), which clients speak: into neutral terms and back. */
import type { Json, JsonObject } from '../call.ts';
import { CallError } from './dialect.ts';
import { countIn, isList, isObject, isSet, textIn, withoutUndefined } from './json-fields.ts';
import type { RerankAnswer, RerankCall } from './task.ts';

/** Whether the answer repeats the documents is between us and the client. */
const known: ReadonlySet<string> = new Set(['model', 'query', 'documents', 'top_n', 'return_documents']);

function documentIn(document: Json, index: number): string {
  const text = typeof document === 'string' ? document : isObject(document) ? textIn(document, 'text') : undefined;
  const at = `documents[${index}]`;
  if (text === undefined) throw new CallError(`${at} must be a text, or an object with one in its field text.`, at);
  return text;
}

export function readRerank(body: JsonObject): RerankCall {
  const { query, documents, top_n: most } = body;
  if (typeof query !== 'string' || query === '') throw new CallError('query is missing: send a text.', 'query');
  if (!isList(documents) || documents.length === 0)
    throw new CallError('documents is missing: send a list of texts.', 'documents');
  if (isSet(most) && !countIn(body, 'top_n')) throw new CallError('top_n must be a whole number from 1.', 'top_n');
  const more = documents.some((each) => isObject(each) && Object.keys(each).some((name) => name !== 'text'));
  return withoutUndefined<RerankCall>({
    query,
    documents: documents.map(documentIn),
    most: countIn(body, 'top_n'),
    untranslated: [
      ...(more ? ['documents'] : []),
      ...Object.keys(body).filter((name) => !known.has(name) && isSet(body[name])),
    ],
  });
}

export function writeRerank({ model, results, usage }: RerankAnswer, body: JsonObject): JsonObject {
  const texts = body['return_documents'] === true ? readRerank(body).documents : [];
  return withoutUndefined<JsonObject>({
    model: model ?? textIn(body, 'model'),
    results: results.map(({ index, score }) => {
      const text = texts[index];
      return { index, relevance_score: score, ...(text !== undefined && { document: { text } }) };
    }),
    // A vendor that counts searches counts no tokens, and a guess is none.
    usage: usage && { total_tokens: usage.inputTokens },
  });
}

/** What vendors answer with, best first; a document that is repeated there is the client's own. */
export function resultsIn({ results }: JsonObject): RerankAnswer['results'] {
  if (!isList(results)) throw new TypeError('results is missing');
  return results.map((result) => {
    const index = isObject(result) ? countIn(result, 'index') : undefined;
    const score = isObject(result) ? result['relevance_score'] : undefined;
    if (index === undefined || typeof score !== 'number') throw new TypeError('a result has no index or no score');
    return { index, score };
  });
}
