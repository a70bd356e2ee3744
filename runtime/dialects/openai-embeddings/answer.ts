/** Embeddings as OpenAI's JSON has them: numbers, or 32-bit floats in base64. */
import type { Json, JsonObject } from '../../call.ts';
import { countIn, isList, isObject, textIn, withoutUndefined } from '../json-fields.ts';
import type { EmbeddingAnswer } from '../task.ts';
import { usageIn } from '../task-fields.ts';

const bytesEach = Float32Array.BYTES_PER_ELEMENT;

function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * bytesEach);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * bytesEach);
  return bytes.toString('base64');
}

function fromBase64(text: string): readonly number[] {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % bytesEach !== 0) throw new TypeError('an embedding is no list of floats');
  return Array.from({ length: bytes.length / bytesEach }, (_, index) => bytes.readFloatLE(index * bytesEach));
}

function vectorIn(entry: Json): readonly number[] {
  const embedding = isObject(entry) ? entry['embedding'] : undefined;
  if (typeof embedding === 'string') return fromBase64(embedding);
  if (!isList(embedding)) throw new TypeError('an embedding is missing');
  return embedding.map((value) => {
    if (typeof value !== 'number') throw new TypeError('an embedding is no list of numbers');
    return value;
  });
}

export function readAnswer(body: JsonObject): EmbeddingAnswer {
  const { data } = body;
  if (!isList(data)) throw new TypeError('data is missing');
  // The place in the list is what clients go by too; `index` only says so.
  const ordered = data.toSorted((a, b) => placeOf(a) - placeOf(b));
  return withoutUndefined<EmbeddingAnswer>({
    model: textIn(body, 'model'),
    vectors: ordered.map(vectorIn),
    usage: usageIn(body),
  });
}

const placeOf = (entry: Json): number => (isObject(entry) ? (countIn(entry, 'index') ?? 0) : 0);

export function writeAnswer({ model, vectors, usage }: EmbeddingAnswer, body: JsonObject): JsonObject {
  const asBase64 = body['encoding_format'] === 'base64';
  const tokens = usage?.inputTokens ?? 0;
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: asBase64 ? toBase64(vector) : vector,
    })),
    model: model ?? textIn(body, 'model'),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}
