/** Reads a body that a target sends, bounded in size and in the time that it may be silent. */
import type { JsonObject } from '../call.ts';
import { AnswerFailed } from '../dialects/dialect.ts';
import { parseExact } from '../dialects/exact-json.ts';
import type { WholeAnswer } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { UpstreamResponse } from '../providers/provider.ts';
import type { Outgoing } from './outgoing.ts';
import { AttemptFailed, type Patience } from './patience.ts';

/** An answer larger than this is no chat answer. */
export const maxAnswerBytes = 64 * 1024 * 1024;
/** And a stream larger than this none that anybody reads. */
export const maxStreamBytes = 512 * 1024 * 1024;

export const tooLarge = (most: number) =>
  new AttemptFailed({ kind: 'broken_answer' }, new Error(`the answer has more than ${most} bytes`));

export async function* whileAlive(
  body: AsyncIterable<Uint8Array>,
  patience: Patience,
  most: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    patience.renew();
    size += chunk.byteLength;
    if (size > most) throw tooLarge(most);
    patience.rest();
    yield chunk;
    patience.renew();
  }
}

export async function readAll(response: UpstreamResponse, patience: Patience, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    patience.renew();
    size += chunk.byteLength;
    if (size > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  const [first] = chunks;
  return chunks.length === 1 && first ? Buffer.from(first.buffer, first.byteOffset, size) : Buffer.concat(chunks);
}

export function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = parseExact(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

export async function whole(
  response: UpstreamResponse,
  sent: Outgoing,
  attempt: { target: LiveTarget; patience: Patience },
): Promise<WholeAnswer> {
  const { target, patience } = attempt;
  const bytes = await readAll(response, patience, maxAnswerBytes);
  const body = parseObject(bytes);
  if (!body) throw new AttemptFailed({ kind: 'broken_answer' }, new Error('the answer is not a JSON object'));
  const { dialect } = sent.api;
  try {
    // Read even when it passes untouched: some vendors say 200 to an error, and that is no answer.
    const answer = dialect.readAnswer(body);
    const { parts, usage } = answer;
    return { form: 'whole', target, bytes, body, answer: sent.native ? undefined : answer, parts, usage };
  } catch (error) {
    throw new AttemptFailed(error instanceof AnswerFailed ? error.failure : { kind: 'broken_answer' }, error);
  }
}
