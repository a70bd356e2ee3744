/** Reads the body and lets the surface's dialect make a call of it. */
import { isAscii, isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { JsonObject } from '../call.ts';
import type { RequestHead } from '../door.ts';
import { CallError } from '../dialects/dialect.ts';
import { parseExact } from '../dialects/exact-json.ts';
import { HeadgateError } from '../errors.ts';
import type { Accepted, Identified } from '../exchange.ts';

/** Room for some long documents and images; far below what would hurt the process. */
export const maxCallBytes = 32 * 1024 * 1024;

export function refuseEncoded({ headers }: RequestHead): void {
  if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
    throw new HeadgateError('unsupported_media_type', 'Send the body without content-encoding.');
  }
}

export function refuseOtherThanJson({ headers }: RequestHead): void {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new HeadgateError('unsupported_media_type', 'Send the body as content-type application/json.');
}

/** Silence after which a body is given up; a slow but living one may take as long as the listener allows. */
const bodyIdleMs = 15_000;

const tooSlow = (): HeadgateError =>
  new HeadgateError('request_timeout', `The body made no progress for ${bodyIdleMs / 1000} s.`);

const clientLeft = (cause: unknown): HeadgateError =>
  new HeadgateError('client_closed_request', 'The client left before its request was complete.', { cause });

/** Each piece of the body; rejects when none comes for too long. The connection stays: a refusal goes over it. */
export async function* bodyPieces(request: IncomingMessage): AsyncGenerator<Buffer> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    silence.reject(tooSlow());
  }, bodyIdleMs);
  const iterator = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), silence.promise]);
      if (next.done) return;
      timer.refresh();
      yield next.value as Buffer;
    }
  } catch (error) {
    if (error instanceof HeadgateError) throw error;
    // The only thing that can fail here is the client's connection.
    throw clientLeft(error);
  } finally {
    clearTimeout(timer);
  }
}

export const tooLarge = (): HeadgateError =>
  new HeadgateError('body_too_large', `The body may have at most ${maxCallBytes} bytes.`);

/** The body of a call, as it comes over a socket. */
export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxCallBytes) throw tooLarge();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => reject(tooSlow()), bodyIdleMs);
  // Listened to rather than iterated: most bodies are one piece, and an iterator costs more than reading it.
  const onData = (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size > maxCallBytes) return reject(tooLarge());
    chunks.push(chunk);
    if (!request.complete) timer.refresh();
  };
  const onEnd = () => {
    request.off('close', onGone);
    resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
  };
  const onGone = (cause?: Error) => reject(clientLeft(cause));
  if (request.destroyed && !request.complete) onGone();
  request.on('data', onData).once('end', onEnd).once('error', onGone).once('close', onGone);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    request.off('data', onData).off('end', onEnd).off('close', onGone);
    // What is left of a body that was refused is not read: the connection ends with the answer.
    if (!request.complete) request.pause();
  }
}

/** Deeper than any real request; recursion elsewhere may rely on it. */
const maxDepth = 128;

const quote = 0x22;
const backslash = 0x5c;

/** The quote that ends the string which begins at `start`; the end of the text where none does. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return text.length;
}

function tooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    // Most of a body stands in its strings.
    if (char === quote) at = endOfString(text, at);
    else if (char === 0x7b || char === 0x5b) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (char === 0x7d || char === 0x5d) depth -= 1;
  }
  return false;
}

const byteOrderMark = '\ufeff';

/** Undefined for what is not UTF-8. */
function textOf(bytes: Buffer): string | undefined {
  // Most bodies are ASCII, which needs no decoder.
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

export function parseJson(bytes: Buffer): JsonObject {
  const text = textOf(bytes);
  if (text === undefined) throw new HeadgateError('invalid_json', 'The body is not UTF-8.');
  if (tooDeep(text)) throw new HeadgateError('invalid_request', `The body nests deeper than ${maxDepth} levels.`);
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    // The parser's own message quotes the body.
    throw new HeadgateError('invalid_json', 'The body is not valid JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HeadgateError('invalid_request', 'The body must be a JSON object.');
  }
  return value as JsonObject;
}

/** What a dialect throws about a body, as the client is told it. */
export function read<Value>(reader: () => Value): Value {
  try {
    return reader();
  } catch (error) {
    if (error instanceof CallError) throw new HeadgateError('invalid_request', error.message, { param: error.param });
    throw error;
  }
}

export async function accept(exchange: Identified): Promise<Accepted> {
  refuseOtherThanJson(exchange.request);
  refuseEncoded(exchange.request);
  const sent = parseJson(await exchange.readBody());
  const body = { ...sent, ...exchange.says };
  const call = read(() => exchange.dialect.readCall(body));
  const { messages, maxOutputTokens, stream } = call;
  exchange.outcome.size = { messages: messages.length, tokens: undefined, maxOutputTokens, stream };
  return Object.assign(exchange, { body, call });
}
