/** What vendors' requests for embeddings have in common: texts only, and a purpose in the words of each. */
import { CallError } from './dialect.ts';
import type { EmbeddingCall, Purpose } from './task.ts';

/** Throws where tokens are sent: no table turns those of one vendor into text for another. */
export const textsOf = ({ inputs }: EmbeddingCall): readonly string[] =>
  inputs.map((input) => {
    if (typeof input !== 'string') throw new CallError('input must be text: this model takes no tokens.', 'input');
    return input;
  });

type Words = Readonly<Partial<Record<Purpose, string>>>;

/** What no request of a vendor can say is named by the client's own fields. */
export function lostFields(
  { user, purpose, dimensions, untranslated }: EmbeddingCall,
  carried: { readonly words?: Words; readonly dimensions?: boolean },
): readonly string[] {
  return [
    ...untranslated,
    ...(user === undefined ? [] : ['user']),
    ...(purpose === undefined || carried.words?.[purpose.word] !== undefined ? [] : [purpose.field]),
    ...(dimensions === undefined || carried.dimensions !== false ? [] : ['dimensions']),
  ];
}

/** ai.google.dev/api/embeddings, TaskType; Vertex has the same. */
export const googlePurposes: Readonly<Record<Purpose, string>> = {
  query: 'RETRIEVAL_QUERY',
  document: 'RETRIEVAL_DOCUMENT',
  similarity: 'SEMANTIC_SIMILARITY',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
  question: 'QUESTION_ANSWERING',
  verification: 'FACT_VERIFICATION',
  code: 'CODE_RETRIEVAL_QUERY',
};

/** docs.cohere.com/reference/embed, `input_type`; the same in Bedrock's documentation of Cohere's models. */
const coherePurposes: Words = {
  query: 'search_query',
  document: 'search_document',
  classification: 'classification',
  clustering: 'clustering',
};

/** What Cohere's models are sent, wherever they are. A purpose has to be said: most texts are embedded to be found. */
export function cohereBody(
  call: EmbeddingCall,
  takesDimensions: boolean,
): {
  readonly body: Readonly<Record<string, string | number | readonly string[]>>;
  readonly dropped: readonly string[];
} {
  const { purpose, dimensions } = call;
  return {
    body: {
      texts: textsOf(call),
      input_type: (purpose && coherePurposes[purpose.word]) ?? 'search_document',
      embedding_types: ['float'],
      ...(dimensions !== undefined && takesDimensions && { output_dimension: dimensions }),
    },
    dropped: lostFields(call, { words: coherePurposes, dimensions: takesDimensions }),
  };
}
