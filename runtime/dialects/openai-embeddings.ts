/**
 * OpenAI's embeddings, for clients and for vendors. Shapes: developers.openai.com/api/reference/resources/embeddings, as
 * the `openai` package has them in resources/embeddings.d.ts.
 */
import { readAnswer, writeAnswer } from './openai-embeddings/answer.ts';
import { readCall, writeCall } from './openai-embeddings/call.ts';
import { modelIn, partsOfInputs, usageIn } from './task-fields.ts';
import type { ClientEmbeddings, ClientTask, VendorEmbeddings, VendorTask } from './task.ts';

const client = {
  name: 'openai-embeddings',
  readTask: (fields) => ({ model: modelIn(fields), parts: partsOfInputs(readCall(fields).inputs), stream: false }),
  embeddings: { readCall, writeAnswer },
} satisfies ClientTask & { embeddings: ClientEmbeddings };

const vendor = {
  name: client.name,
  readAnswer: (body) => readAnswer(body).usage,
  readEvent: usageIn,
  isEnd: () => false,
  embeddings: { writeCall, readAnswer },
} satisfies VendorTask & { embeddings: VendorEmbeddings };

export const openaiEmbeddings = { client, vendor };
