/**
 * Embeddings of Vertex AI, for vendors: `predict` for older models, `embedContent` for newer ones
 * (cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api; `@google/genai`,
 * embedContentParametersPrivateToVertex and tIsVertexEmbedContentModel).
 */
import type { Json, JsonObject, Usage } from '../call.ts';
import { googlePurposes, lostFields, textsOf } from './embedding-fields.ts';
import { countIn, isList, isObject, objectIn, withoutUndefined } from './json-fields.ts';
import type { EmbeddingAnswer, EmbeddingCall, VendorEmbeddings, VendorTask } from './task.ts';
import { vectorIn } from './task-fields.ts';

const firstGemini = 'gemini-embedding-001';

/** What is asked of a model. */
export const vertexMethod = (model: string): 'embedContent' | 'predict' =>
  (model.includes('gemini') && model !== firstGemini) || model.includes('maas') ? 'embedContent' : 'predict';

/** "Each call can include up to 250 input texts"; "`gemini-embedding-001` supports one instance per request". */
const mostInputs = (model: string): number =>
  vertexMethod(model) === 'embedContent' || model === firstGemini ? 1 : 250;

function writeCall(call: EmbeddingCall, model: string): { body: JsonObject; dropped: readonly string[] } {
  const texts = textsOf(call);
  const { dimensions: outputDimensionality, purpose } = call;
  const taskType = purpose && googlePurposes[purpose.word];
  const dropped = lostFields(call, { words: googlePurposes });
  if (vertexMethod(model) === 'predict') {
    const instances = texts.map((content) => withoutUndefined<JsonObject>({ content, task_type: taskType }));
    const parameters = outputDimensionality === undefined ? undefined : { outputDimensionality };
    return { body: withoutUndefined<JsonObject>({ instances, parameters }), dropped };
  }
  const embedContentConfig = withoutUndefined<JsonObject>({ taskType, outputDimensionality });
  const isSaid = Object.keys(embedContentConfig).length > 0;
  const content = { parts: texts.map((text) => ({ text })) };
  return { body: { content, ...(isSaid && { embedContentConfig }) }, dropped };
}

const valuesIn = (embedding: Json | undefined): readonly number[] =>
  vectorIn(isObject(embedding) ? embedding['values'] : undefined);

function usageOf(counts: readonly (number | undefined)[]): Usage | undefined {
  if (counts.includes(undefined)) return undefined;
  return { inputTokens: counts.reduce<number>((sum, count) => sum + (count ?? 0), 0), outputTokens: 0 };
}

function readAnswer(body: JsonObject): EmbeddingAnswer {
  const { predictions, embedding } = body;
  if (!isList(predictions)) {
    const usage = usageOf([countIn(objectIn(body, 'usageMetadata'), 'promptTokenCount')]);
    return withoutUndefined<EmbeddingAnswer>({ vectors: [valuesIn(embedding)], usage });
  }
  const all = predictions.map((each) => (isObject(each) ? objectIn(each, 'embeddings') : undefined));
  return withoutUndefined<EmbeddingAnswer>({
    vectors: all.map(valuesIn),
    usage: usageOf(all.map((each) => countIn(objectIn(each, 'statistics'), 'token_count'))),
  });
}

export const vertexEmbeddings = {
  name: 'vertex-embeddings',
  readAnswer: (body) => readAnswer(body).usage,
  readEvent: () => undefined,
  isEnd: () => false,
  embeddings: { mostInputs, writeCall, readAnswer },
} satisfies VendorTask & { embeddings: VendorEmbeddings };
