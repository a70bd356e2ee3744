/** Google's embeddings, of one content and of several, for clients and for vendors (ai.google.dev/api/embeddings). */
import type { JsonObject } from '../call.ts';
import { readBatchAnswer, readOneAnswer, writeBatchAnswer, writeOneAnswer } from './gemini-embeddings/answer.ts';
import { readBatch, readOne, rewriteBatch, rewriteOne, writeBatch } from './gemini-embeddings/call.ts';
import { modelIn, partsOfInputs } from './task-fields.ts';
import type { ClientEmbeddings, ClientTask, EmbeddingAnswer, VendorTask } from './task.ts';

interface Form {
  readonly name: string;
  readonly embeddings: ClientEmbeddings;
  readonly rewrite: (body: JsonObject, model: string) => JsonObject;
  readonly read: (body: JsonObject) => EmbeddingAnswer;
}

const clientOf = ({ name, rewrite, embeddings }: Form): ClientTask => ({
  name,
  readTask: (fields) => ({
    model: modelIn(fields),
    parts: partsOfInputs(embeddings.readCall(fields).inputs),
    stream: false,
  }),
  rewrite,
  embeddings,
});

const vendorOf = ({ name, read }: Form): VendorTask => ({
  name,
  readAnswer: (body) => read(body).usage,
  readEvent: () => undefined,
  isEnd: () => false,
});

const one: Form = {
  name: 'gemini-embedding',
  embeddings: { readCall: readOne, writeAnswer: writeOneAnswer },
  rewrite: rewriteOne,
  read: readOneAnswer,
};
const batch: Form = {
  name: 'gemini-embeddings',
  embeddings: { readCall: readBatch, writeAnswer: writeBatchAnswer },
  rewrite: rewriteBatch,
  read: readBatchAnswer,
};

export const geminiEmbedding = { client: clientOf(one), vendor: vendorOf(one) };
/** What calls of other dialects are translated to: a batch takes any number. */
export const geminiEmbeddings = {
  client: clientOf(batch),
  vendor: { ...vendorOf(batch), embeddings: { writeCall: writeBatch, readAnswer: readBatchAnswer } },
};
