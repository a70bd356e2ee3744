/** Requests of Google's embedContent and batchEmbedContents (ai.google.dev/api/embeddings), the first being a batch of one. */
import type { Json, JsonObject } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { googlePurposes, lostFields, textsOf } from '../embedding-fields.ts';
import { countIn, isList, isObject, isSet, listIn, objectIn, textIn, withoutUndefined } from '../json-fields.ts';
import type { EmbeddingCall, Purpose } from '../task.ts';

interface One {
  readonly text: string;
  readonly dimensions: number | undefined;
  readonly purpose: Purpose | undefined;
  readonly untranslated: readonly string[];
}

const known: ReadonlySet<string> = new Set(['model', 'content', 'outputDimensionality', 'taskType']);
const purposes = new Map(Object.entries(googlePurposes).map(([word, name]) => [name, word as Purpose]));

/** The vendor itself counts texts only, all parts of a content as one. */
function oneIn(request: Json, at: string): One {
  const content = isObject(request) ? objectIn(request, 'content') : undefined;
  if (!isObject(request) || !content) throw new CallError(`${at}content is missing.`, `${at}content`);
  const parts = listIn(content, 'parts');
  const texts = parts.flatMap((part) => (isObject(part) ? (textIn(part, 'text') ?? []) : []));
  if (texts.length === 0) throw new CallError(`${at}content needs a part with a text.`, `${at}content.parts`);
  const purpose = purposes.get(textIn(request, 'taskType') ?? '');
  return {
    text: texts.join(''),
    dimensions: countIn(request, 'outputDimensionality'),
    purpose,
    untranslated: [
      ...(isSet(request['taskType']) && purpose === undefined ? ['taskType'] : []),
      ...(texts.length < parts.length ? ['content.parts'] : []),
      ...Object.keys(request).filter((name) => !known.has(name) && isSet(request[name])),
    ],
  };
}

function callOf(all: readonly One[], untranslated: readonly string[]): EmbeddingCall {
  const dimensions = new Set(all.map((one) => one.dimensions));
  const words = new Set(all.map((one) => one.purpose));
  const word = words.size === 1 ? all[0]?.purpose : undefined;
  // There is one of each for all of them elsewhere.
  const mixed = [...(words.size > 1 ? ['taskType'] : []), ...(dimensions.size > 1 ? ['outputDimensionality'] : [])];
  return withoutUndefined<EmbeddingCall>({
    inputs: all.map(({ text }) => text),
    dimensions: all[0]?.dimensions,
    purpose: word && { word, field: 'taskType' },
    untranslated: [...new Set([...all.flatMap((one) => one.untranslated), ...mixed, ...untranslated])],
  });
}

export const readOne = (body: JsonObject): EmbeddingCall => callOf([oneIn(body, '')], []);

export function readBatch(body: JsonObject): EmbeddingCall {
  const { model: _, requests, ...rest } = body;
  if (!isList(requests) || requests.length === 0) throw new CallError('requests is missing.', 'requests');
  const all = requests.map((request, index) => oneIn(request, `requests[${index}].`));
  return callOf(
    all,
    Object.keys(rest).filter((name) => isSet(rest[name])),
  );
}

/** The model stands in the path. */
export const rewriteOne = ({ model: _, ...body }: JsonObject): JsonObject => body;

/** And again in each request of a batch. */
export function rewriteBatch({ model: _, ...body }: JsonObject, model: string): JsonObject {
  const requests = listIn(body, 'requests').map((each) =>
    isObject(each) ? { ...each, model: `models/${model}` } : each,
  );
  return { ...body, requests };
}

export function writeBatch(call: EmbeddingCall, model: string): { body: JsonObject; dropped: readonly string[] } {
  const { dimensions, purpose } = call;
  const requests = textsOf(call).map((text) =>
    withoutUndefined<JsonObject>({
      model: `models/${model}`,
      content: { parts: [{ text }] },
      taskType: purpose && googlePurposes[purpose.word],
      outputDimensionality: dimensions,
    }),
  );
  return { body: { requests }, dropped: lostFields(call, { words: googlePurposes }) };
}
