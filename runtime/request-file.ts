/** A request as a file describes it, and what the stages see of it. */
import type { JsonObject } from './call.ts';
import type { RequestHead } from './door.ts';

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
  /** Of the token that the consumer comes with. Default: it comes with a key, which has none. */
  readonly claims?: JsonObject;
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

const known = ['method', 'path', 'host', 'headers', 'body', 'consumer', 'claims'];
const isText = (value: unknown): boolean => value === undefined || (typeof value === 'string' && value !== '');

function problemsOf(value: Readonly<Record<string, unknown>>): string[] {
  const { method, path, host, headers, consumer, claims } = value;
  const problems = Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => `"${name}" is not known here: write ${known.join(', ')}`);
  if (typeof path !== 'string' || !path.startsWith('/'))
    problems.push('"path" is missing: write where the request goes, such as "/v1/chat/completions"');
  for (const [name, each] of Object.entries({ method, host, consumer }))
    if (!isText(each)) problems.push(`"${name}" must be a text`);
  if (headers !== undefined) {
    const texts = typeof headers === 'object' && headers !== null && !Array.isArray(headers);
    if (!texts || !Object.values(headers).every((each) => typeof each === 'string'))
      problems.push('"headers" must be an object of texts');
  }
  if (claims !== undefined && (typeof claims !== 'object' || claims === null || Array.isArray(claims)))
    problems.push('"claims" must be an object, as in a token');
  else if (claims !== undefined && consumer === undefined)
    problems.push('"claims" are those of a consumer: write "consumer" too');
  return problems;
}

/** Throws `RequestProblem`. `text` is the content of a file. */
export function readRequest(text: string): AskedRequest {
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
  const problems = problemsOf(value as Readonly<Record<string, unknown>>);
  if (problems.length > 0) throw new RequestProblem(problems);
  return value as AskedRequest;
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
