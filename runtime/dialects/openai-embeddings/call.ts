/** Requests for embeddings, read from and written to OpenAI's JSON. */
import type { Json, JsonObject } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { countIn, isList, isSet, textIn, withoutUndefined } from '../json-fields.ts';
import type { EmbeddingCall, Purpose } from '../task.ts';

type Input = EmbeddingCall['inputs'][number];

/** The most that OpenAI takes in one request. */
const mostInputs = 2_048;

const isToken = (value: Json): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isTokens = (value: Json): value is readonly number[] => isList(value) && value.length > 0 && value.every(isToken);

/** A text, texts, the tokens of one text, or those of several. */
function inputsIn(input: Json | undefined): readonly Input[] {
  if (typeof input === 'string') return [input];
  if (!isSet(input)) throw new CallError('input is missing: send a text, or a list of texts.', 'input');
  if (isTokens(input)) return [input];
  if (!isList(input) || input.length === 0)
    throw new CallError('input must be a text, a list of texts, or tokens.', 'input');
  if (input.length > mostInputs) throw new CallError(`input may hold at most ${mostInputs} texts.`, 'input');
  return input.map((each, index) => {
    if (typeof each === 'string' || isTokens(each)) return each;
    throw new CallError(`input[${index}] must be a text or a list of tokens.`, `input[${index}]`);
  });
}

/** How vectors are to be written is between us and the client. */
const known: ReadonlySet<string> = new Set(['model', 'input', 'dimensions', 'encoding_format', 'user']);

/**
 * OpenAI has no purpose; clients that want one say so beside its fields, in the words of Cohere (docs.cohere.com/reference/embed),
 * NVIDIA (docs.nvidia.com/nim/nemo-retriever/text-embedding/latest/reference.html) or Voyage (docs.voyageai.com/reference/embeddings-api).
 */
const purposes: ReadonlyMap<string, Purpose> = new Map([
  ['query', 'query'],
  ['search_query', 'query'],
  ['document', 'document'],
  ['passage', 'document'],
  ['search_document', 'document'],
  ['classification', 'classification'],
  ['clustering', 'clustering'],
]);

export function readCall(body: JsonObject): EmbeddingCall {
  const { dimensions, encoding_format: format } = body;
  if (isSet(dimensions) && !countIn(body, 'dimensions'))
    throw new CallError('dimensions must be a whole number from 1.', 'dimensions');
  if (isSet(format) && format !== 'float' && format !== 'base64')
    throw new CallError("encoding_format must be 'float' or 'base64'.", 'encoding_format');
  const word = purposes.get(textIn(body, 'input_type') ?? '');
  const isKnown = (name: string) => known.has(name) || (name === 'input_type' && word !== undefined);
  return withoutUndefined<EmbeddingCall>({
    inputs: inputsIn(body['input']),
    dimensions: countIn(body, 'dimensions'),
    user: textIn(body, 'user'),
    purpose: word && { word, field: 'input_type' },
    untranslated: Object.keys(body).filter((name) => !isKnown(name) && isSet(body[name])),
  });
}

export function writeCall(
  { inputs, dimensions, user, purpose, untranslated }: EmbeddingCall,
  model: string,
): { body: JsonObject; dropped: readonly string[] } {
  const input = inputs.length === 1 && typeof inputs[0] === 'string' ? inputs[0] : inputs;
  return {
    body: withoutUndefined<JsonObject>({ model, input, dimensions, user }),
    dropped: [...untranslated, ...(purpose ? [purpose.field] : [])],
  };
}
