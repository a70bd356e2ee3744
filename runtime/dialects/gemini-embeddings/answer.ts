/** Answers of Google's embedContent and batchEmbedContents (ai.google.dev/api/embeddings). */
import type { Json, JsonObject, Usage } from '../../call.ts';
import { countIn, isList, isObject, objectIn, withoutUndefined } from '../json-fields.ts';
import type { EmbeddingAnswer } from '../task.ts';
import { vectorIn } from '../task-fields.ts';

/** Newer models count; of the older ones nobody knows. */
function usageIn(body: JsonObject): Usage | undefined {
  const inputTokens = countIn(objectIn(body, 'usageMetadata'), 'promptTokenCount');
  return inputTokens === undefined ? undefined : { inputTokens, outputTokens: 0 };
}

const valuesIn = (entry: Json | undefined): readonly number[] =>
  vectorIn(isObject(entry) ? entry['values'] : undefined);

const answerOf = (vectors: readonly (readonly number[])[], body: JsonObject): EmbeddingAnswer =>
  withoutUndefined<EmbeddingAnswer>({ vectors, usage: usageIn(body) });

export const readOneAnswer = (body: JsonObject): EmbeddingAnswer => answerOf([valuesIn(body['embedding'])], body);

export function readBatchAnswer(body: JsonObject): EmbeddingAnswer {
  if (!isList(body['embeddings'])) throw new TypeError('embeddings is missing');
  return answerOf(body['embeddings'].map(valuesIn), body);
}

const writeUsage = ({ usage }: EmbeddingAnswer): JsonObject =>
  usage ? { usageMetadata: { promptTokenCount: usage.inputTokens, totalTokenCount: usage.inputTokens } } : {};

export const writeBatchAnswer = (answer: EmbeddingAnswer): JsonObject => ({
  embeddings: answer.vectors.map((values) => ({ values })),
  ...writeUsage(answer),
});

export const writeOneAnswer = (answer: EmbeddingAnswer): JsonObject => ({
  embedding: { values: answer.vectors[0] ?? [] },
  ...writeUsage(answer),
});
