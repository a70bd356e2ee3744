/**
 * Embeddings of Amazon Bedrock's InvokeModel, for vendors: each maker's models have a body of their own. Titan:
 * docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html; Cohere: model-parameters-embed-v3.html
 * and -v4.html there.
 */
import type { JsonObject, Usage } from '../call.ts';
import { CallError } from './dialect.ts';
import { cohereBody, lostFields, textsOf } from './embedding-fields.ts';
import { countIn, isObject, withoutUndefined } from './json-fields.ts';
import type { AnswerHeaders, EmbeddingAnswer, VendorEmbeddings, VendorTask } from './task.ts';
import { vectorsIn } from './task-fields.ts';

/** Ids begin with the region where they are of an inference profile, and are the end of an ARN. */
const isCohere = (model: string): boolean => /(^|[./])cohere\.embed-/.test(model);
const isTitan = (model: string): boolean => /(^|[./])amazon\.titan-embed-/.test(model);

/** API_runtime_InvokeModel.html, "Response Elements": models whose bodies count nothing are counted there. */
function usageOf(body: JsonObject, headers: AnswerHeaders): Usage | undefined {
  const told = headers['x-amzn-bedrock-input-token-count'];
  const inHeader = typeof told === 'string' && /^\d{1,12}$/.test(told) ? Number(told) : undefined;
  const inputTokens = countIn(body, 'inputTextTokenCount') ?? inHeader;
  return inputTokens === undefined ? undefined : { inputTokens, outputTokens: 0 };
}

/** Titan has one vector; Cohere has several, by type where types are asked for and in a list where they are not. */
function vectorsOf({ embedding, embeddings }: JsonObject): readonly (readonly number[])[] {
  if (embedding !== undefined) return vectorsIn([embedding]);
  return vectorsIn(isObject(embeddings) ? embeddings['float'] : embeddings);
}

const readAnswer = (body: JsonObject, headers: AnswerHeaders): EmbeddingAnswer =>
  withoutUndefined<EmbeddingAnswer>({ vectors: vectorsOf(body), usage: usageOf(body, headers) });

export const bedrockEmbeddings = {
  name: 'bedrock-embeddings',
  readAnswer: (body) => readAnswer(body, {}).usage,
  readEvent: () => undefined,
  isEnd: () => false,
  embeddings: {
    mostInputs: (model) => (isCohere(model) ? 96 : 1),
    writeCall(call, model) {
      if (isCohere(model)) return cohereBody(call, !model.includes('-v3'));
      if (!isTitan(model))
        throw new CallError(
          "model has an id at Bedrock that names neither Titan's nor Cohere's embeddings: no body is known for it.",
          'model',
        );
      // "Titan Embeddings G1 - Text doesn't support the use of inference parameters"
      const takesDimensions = !/-text-v1\b/.test(model);
      const [inputText = ''] = textsOf(call);
      const dimensions = takesDimensions ? call.dimensions : undefined;
      return {
        body: withoutUndefined<JsonObject>({ inputText, dimensions }),
        dropped: lostFields(call, { dimensions: takesDimensions }),
      };
    },
    readAnswer,
  },
} satisfies VendorTask & { embeddings: VendorEmbeddings };
