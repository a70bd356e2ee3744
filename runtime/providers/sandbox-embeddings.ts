/** The sandbox's embeddings: a pure function of the request body. Equal texts have equal vectors, and nothing else is in them. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../call.ts';
import { openaiEmbeddings } from '../dialects/openai-embeddings.ts';
import { modelIn } from '../dialects/task-fields.ts';
import type { EmbeddingCall } from '../dialects/task.ts';

type Input = EmbeddingCall['inputs'][number];

const defaultDimensions = 64;
const mostDimensions = 4_096;
const bytesEach = 4;

/** The sandbox's own tokenizer: a token is four characters, rounded up. */
const tokensIn = (input: Input): number => (typeof input === 'string' ? Math.ceil(input.length / 4) : input.length);

/** Of length one, as vendors' vectors are. */
function vectorOf(input: Input, dimensions: number): readonly number[] {
  const digest = createHash('shake256', { outputLength: dimensions * bytesEach })
    .update(JSON.stringify(input))
    .digest();
  const raw = Array.from({ length: dimensions }, (_, index) => digest.readInt32LE(index * bytesEach) / 2 ** 31);
  const length = Math.hypot(...raw);
  // What 32-bit floats keep, so that numbers and base64 say the same.
  return raw.map((value) => Math.fround(value / length));
}

export function sandboxEmbeddings(body: JsonObject): string {
  const { readCall, writeAnswer } = openaiEmbeddings.client.embeddings;
  const { inputs, dimensions = defaultDimensions } = readCall(body);
  const vectors = inputs.map((input) => vectorOf(input, Math.min(dimensions, mostDimensions)));
  const inputTokens = inputs.reduce((sum, input) => sum + tokensIn(input), 0);
  return JSON.stringify(writeAnswer({ model: modelIn(body), vectors, usage: { inputTokens, outputTokens: 0 } }, body));
}
