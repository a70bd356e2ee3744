/** What a request must look like before anything acts on it: one plain Host, plain framing, a path that means one thing. */
import type { IncomingMessage } from 'node:http';
import { HeadgateError } from './errors.ts';

/** What of a request the decisions about it are made from. */
export type RequestHead = Pick<IncomingMessage, 'httpVersion' | 'method' | 'url' | 'headers' | 'rawHeaders'>;

const bad = (message: string) => new HeadgateError('invalid_request', message);

/** Values of headers as they came: Node joins or drops duplicates, and two gateways that differ on which make a hole. */
interface Raw {
  readonly hosts: readonly string[];
  readonly encodings: readonly string[];
  readonly authorizations: number;
}

function rawOf({ rawHeaders }: RequestHead): Raw {
  const hosts: string[] = [];
  const encodings: string[] = [];
  let authorizations = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    // Few names are as long as one of these, and only those are looked at.
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[at + 1] ?? '');
    else if (name.length === 13 && name.toLowerCase() === 'authorization') authorizations += 1;
    else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') encodings.push(rawHeaders[at + 1] ?? '');
  }
  return { hosts, encodings, authorizations };
}

const plainHost = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/;

export interface Asked {
  /** Host name in lower case, without port. */
  readonly host: string;
  /** Without the query, spelled the one way that `plainPath` spells it. */
  readonly path: string;
}

/** Undoes escapes that need not be: `/%61dmin` is `/admin` to every upstream, so it must be to whoever matches it too. */
export function plainPath(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const char = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[\w.~-]/.test(char) ? char : escape.toUpperCase();
  });
}

/** Dot segments, also with the parameters (`..;x`) that some upstreams take off first, and names that only look like one. */
const dotSegment = /(^|\/)(\.\.|\.(\/|;|$))|\.\.(\/|$)/;

/** As it is matched. Throws for what other parties could read differently than we do. */
function pathOf(path: string): string {
  if (!path.startsWith('/')) throw bad('The request target must be a path, without a fragment.');
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw bad('The path is not well encoded.');
  }
  // Encoded slashes and dot segments mean one thing to a matcher and another to an upstream. Model APIs forward no path,
  // and SDKs encode the slash of a model's name there.
  const escapes = path.startsWith('/v1/') || path.startsWith('/v1beta/') ? /%5c|%00/i : /%2f|%5c|%00/i;
  if (dotSegment.test(decoded) || escapes.test(path) || decoded.includes('\\') || path.includes('//')) {
    throw bad('The path must not hold dot segments, empty segments, backslashes or encoded slashes.');
  }
  return plainPath(path);
}

function hostOf(host: string): string {
  if (!plainHost.test(host)) throw bad('The request needs exactly one plain Host header.');
  return host.replace(/:\d+$/, '').toLowerCase();
}

/** Most requests say what one before them said: so much of it, and of such a length, is looked at once. */
const mostRemembered = 1_000;
const longestRemembered = 256;

function remembering(look: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const seen = look(text);
    if (text.length > longestRemembered) return seen;
    if (known.size >= mostRemembered) known.clear();
    known.set(text, seen);
    return seen;
  };
}

const rememberedPath = remembering(pathOf);
const rememberedHost = remembering(hostOf);

/** Throws for requests that other parties could read differently than we do. */
export function askedFor(request: RequestHead): Asked {
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0')
    throw bad('Only HTTP/1.0 and HTTP/1.1 are spoken here.');
  const { hosts, encodings, authorizations } = rawOf(request);
  if (hosts.length !== 1) throw bad('The request needs exactly one plain Host header.');
  const host = rememberedHost(hosts[0] ?? '');
  if (encodings.length > 1 || (encodings[0] !== undefined && encodings[0].toLowerCase() !== 'chunked'))
    throw bad('The only transfer-encoding taken is chunked.');
  if (encodings.length > 0 && request.httpVersion === '1.0') throw bad('HTTP/1.0 knows no transfer-encoding.');
  if (authorizations > 1) throw bad('The request has more than one Authorization header.');
  const target = request.url ?? '';
  if (target.includes('#')) throw bad('The request target must be a path, without a fragment.');
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  // A part of a long text keeps all of it.
  return { host, path: target.length > longestRemembered ? pathOf(path) : rememberedPath(path) };
}

/** Of a request that was refused here, enough to tell whose words to refuse it in: without escapes, which may be none. */
export const refusedPath = ({ url = '' }: RequestHead): string => (url.split('?', 1)[0] ?? '').replaceAll('%', '');

/** The client's own request id where it is a sane one. */
export function requestId(request: RequestHead, fresh: () => string): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : fresh();
}
