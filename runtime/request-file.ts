/** A request as a file describes it, and what the stages see of it. */
import { isIP } from 'node:net';
import type { JsonObject } from './call.ts';
import type { RequestHead } from './door.ts';
import { expiryOf } from './expiry.ts';

export interface AskedRequest {
  /** Default `POST` with a body, `GET` without one. */
  readonly method?: string;
  /** With the query, if it has one. */
  readonly path: string;
  /** Default `localhost`. */
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object or list becomes JSON; a text is sent as it is. */
  readonly body?: unknown;
  /** Name of the consumer, in place of a key among the headers. */
  readonly consumer?: string;
  /** The beginning of the hash of one of the consumer's keys. Default: a key that is bound to nothing. */
  readonly key?: string;
  /** Of the token that the consumer comes with, for which they must stand, or that is to stand for one. Default: it comes with a key, which has none. */
  readonly claims?: JsonObject;
  /** Name of the issuer of a token with these claims, in place of a consumer. Default: whom `iss` among the claims names. */
  readonly issuer?: string;
  /** Where it comes from. Default: from where its consumer and its key may be used. */
  readonly address?: string;
  /** A day or a moment with its zone. Default: now. */
  readonly at?: string;
}

/** What is wrong with a request file; every problem at once. */
export class RequestProblem extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'RequestProblem';
    this.problems = problems;
  }
}

const dayMs = 86_400_000;

/** Milliseconds since the Unix epoch: of a day its beginning in UTC. Undefined where it is none. */
export function momentOf(text: string): number | undefined {
  const end = expiryOf(text);
  return end !== undefined && !text.includes('T') ? end - dayMs : end;
}

const known = 'method, path, host, headers, body, consumer, key, claims, issuer, address, at'.split(', ');

/** What is wrong with what is said of who asks. */
function problemsOfCaller({ consumer, key, claims, issuer, address, at }: Readonly<Record<string, unknown>>): string[] {
  const problems: string[] = [];
  const isObject = typeof claims === 'object' && claims !== null && !Array.isArray(claims);
  if (claims !== undefined && !isObject) problems.push('"claims" must be an object, as in a token');
  else if (isObject && consumer === undefined && issuer === undefined && !('iss' in claims))
    problems.push('"claims" are those of somebody\'s token: write "consumer", or whose token it is as "issuer"');
  if (key !== undefined && consumer === undefined) problems.push('"key" is that of a consumer: write "consumer" too');
  if (key !== undefined && claims !== undefined) problems.push('"key" has no claims: write one of them');
  if (issuer !== undefined && claims === undefined)
    problems.push('"issuer" has tokens with claims: write "claims" too');
  if (issuer !== undefined && consumer !== undefined)
    problems.push('"issuer" lets the claims tell whom they stand for: leave "consumer" out');
  if (typeof address === 'string' && isIP(address) === 0) problems.push(`"address" is none: '${address}'`);
  if (typeof at === 'string' && momentOf(at) === undefined)
    problems.push('"at" must be a day such as 2027-01-31, or a moment with its zone such as 2027-01-31T17:00:00Z');
  return problems;
}

const isText = (value: unknown): boolean => value === undefined || (typeof value === 'string' && value !== '');

function problemsOf(value: Readonly<Record<string, unknown>>): string[] {
  const { method, path, host, headers, consumer, key, issuer, address, at } = value;
  const problems = Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => `"${name}" is not known here: write ${known.join(', ')}`);
  if (typeof path !== 'string' || !path.startsWith('/'))
    problems.push('"path" is missing: write where the request goes, such as "/v1/chat/completions"');
  for (const [name, each] of Object.entries({ method, host, consumer, key, issuer, address, at }))
    if (!isText(each)) problems.push(`"${name}" must be a text`);
  if (headers !== undefined) {
    const texts = typeof headers === 'object' && headers !== null && !Array.isArray(headers);
    if (!texts || !Object.values(headers).every((each) => typeof each === 'string'))
      problems.push('"headers" must be an object of texts');
  }
  problems.push(...problemsOfCaller(value));
  return problems;
}

/** Who asks, and from where and when, as it is said beside a file. */
export type Said = Pick<AskedRequest, 'consumer' | 'key' | 'claims' | 'issuer' | 'address' | 'at'>;

const who = ['consumer', 'key', 'claims', 'issuer'] as const;

/** What is said goes before what is written: a file for one caller can be asked as another. */
function overridden(value: object, said: Said): Readonly<Record<string, unknown>> {
  const isOther = who.some((name) => said[name] !== undefined);
  const kept = Object.entries(value).filter(([name]) => !(isOther && (who as readonly string[]).includes(name)));
  const given = Object.entries(said).filter(([, each]) => each !== undefined);
  return Object.fromEntries([...kept, ...given]);
}

/** Throws `RequestProblem`. `text` is the content of a file. */
export function readRequest(text: string, said: Said = {}): AskedRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RequestProblem([`it is not JSON: ${(error as Error).message}`]);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RequestProblem([
      'it must be an object such as {"path": "/v1/chat/completions", "consumer": "…", "body": {…}}',
    ]);
  const asked = overridden(value, said);
  const problems = problemsOf(asked);
  if (problems.length > 0) throw new RequestProblem(problems);
  // Judged field by field just now.
  return asked as unknown as AskedRequest;
}

/** `key` is sent in place of whatever the headers hold. */
export function headOf(
  { method, path, host, headers = {}, body }: AskedRequest,
  key: string | undefined,
): { readonly request: RequestHead; readonly body: Buffer } {
  const bytes = Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body));
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const given: Record<string, string> = {
    host: host ?? 'localhost',
    ...(body !== undefined && typeof body !== 'string' && { 'content-type': 'application/json' }),
    ...(bytes.byteLength > 0 && { 'content-length': String(bytes.byteLength) }),
    ...(Object.fromEntries(own) as Record<string, string>),
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  };
  const request = {
    httpVersion: '1.1',
    method: (method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase(),
    url: path,
    headers: given,
    rawHeaders: Object.entries(given).flat(),
  };
  return { request, body: bytes };
}
