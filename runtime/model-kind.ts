/** What a model is for: which API of its vendor takes it. */
export const modelKinds = [
  'chat',
  /** Only behind a vendor's responses API. */
  'responses',
  'completion',
  'embedding',
  'rerank',
  'moderation',
  'image',
  'transcription',
  'speech',
  'realtime',
] as const;
export type ModelKind = (typeof modelKinds)[number];

/** Kinds that take a conversation and answer it, by whichever API. */
export const conversationKinds: readonly ModelKind[] = ['chat', 'responses'];
