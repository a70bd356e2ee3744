/** Decides whether a request is a plain one, and writes its head. Nothing that a header or a path holds can end its line. */
import type { PassedRequest } from '../../providers/provider.ts';

/** A request whose body is known, in the form in which it is written. */
export interface PlainRequest {
  readonly method: string;
  /** Without `content-length` and the empty line at its end. */
  readonly head: string;
  readonly body: string | Uint8Array | undefined;
  /** Asking twice does no harm. */
  readonly isSafe: boolean;
}

export interface Asked extends Omit<PassedRequest, 'method'> {
  readonly method: string;
}

const withBody = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const withoutBody = new Set(['GET', 'HEAD', 'OPTIONS']);

/** About the connection or the framing, which are not the caller's to say. */
const unusual = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const isName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
const isValue = /^[\t\x20-\x7e]*$/;
const isPath = /^\/[\x21-\x7e]*$/;

/** Names are the same few for all requests: what was found out about them is kept. */
const plainNames = new Set<string>();
const mostNames = 1_000;

function isPlainName(name: string): boolean {
  if (plainNames.has(name)) return true;
  if (!isName.test(name) || unusual.has(name.toLowerCase())) return false;
  if (plainNames.size < mostNames) plainNames.add(name);
  return true;
}

/** Headers that are frozen come again with every request: their lines are kept. */
const knownLines = new WeakMap<Asked['headers'], string>();

function linesOf(headers: Asked['headers']): string | undefined {
  const known = knownLines.get(headers);
  if (known !== undefined) return known;
  let lines = '';
  for (const name in headers) {
    const value = headers[name];
    if (typeof value !== 'string' || !isPlainName(name) || !isValue.test(value)) return undefined;
    lines += `${name}: ${value}\r\n`;
  }
  if (Object.isFrozen(headers)) knownLines.set(headers, lines);
  return lines;
}

/** Undefined for what is not plain: it is not for here to say what of that is wrong. */
export function plainRequest(host: string, { method, path, headers, body }: Asked): PlainRequest | undefined {
  const isWhole = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  if (!isWhole || !isPath.test(path)) return undefined;
  if (!withBody.has(method) && (body !== undefined || !withoutBody.has(method))) return undefined;
  const lines = linesOf(headers);
  if (lines === undefined) return undefined;
  const head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${lines}`;
  return { method, head, body: body ?? (withBody.has(method) ? '' : undefined), isSafe: withoutBody.has(method) };
}
