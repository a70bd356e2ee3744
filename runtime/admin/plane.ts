/** The few routes of the admin plane over Node's own server: exact paths, one of them with an id at its end, and small JSON bodies. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse, type ParsedUrlQuery } from 'node:querystring';
import type { Address } from '../listener.ts';
import { parseStrictJson } from '../strict-json.ts';

export interface Asked {
  readonly method: string;
  /** Path and query, as they came. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly query: ParsedUrlQuery;
  /** What stands in the path in place of `:id`. */
  readonly id: string;
  /** Parsed; undefined where there is none. */
  readonly body: unknown;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, all else as JSON. */
  readonly body: unknown;
}

type Method = 'GET' | 'POST' | 'DELETE';
type Route = (asked: Asked) => Answer | Promise<Answer>;

export const json = (body: unknown, status = 200): Answer => ({ status, body });

export const problem = (status: number, detail: string): Answer => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: { type: 'about:blank', status, detail },
});

/** An order has a few short fields. */
const mostBodyBytes = 65_536;
const bodyCure = 'send JSON with the header content-type: application/json';

class Unreadable extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Undefined where there is none. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let size = 0;
  // The answer goes where the rest of the body comes from.
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += piece.byteLength;
    if (size > mostBodyBytes)
      throw new Unreadable(413, 'The body is too long: an order needs only "commit", "for" and "note".');
    pieces.push(piece);
  }
  const type = request.headers['content-type'];
  const isJson = type !== undefined && /^application\/json\s*(;|$)/i.test(type);
  if (size === 0 && type === undefined) return undefined;
  // A page from elsewhere cannot send this type without asking first.
  if (!isJson) throw new Unreadable(415, `The body is not said to be JSON: ${bodyCure}.`);
  try {
    return parseStrictJson(Buffer.concat(pieces), { maxBytes: mostBodyBytes });
  } catch {
    throw new Unreadable(400, `The body is not JSON: ${bodyCure}.`);
  }
}

function write(response: ServerResponse, { status = 200, headers = {}, body }: Answer): void {
  const isText = typeof body === 'string';
  const text = isText ? body : JSON.stringify(body);
  const usual = { 'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8' };
  // What was not read of a body would be taken for the next request.
  const rest = response.req.complete ? {} : { connection: 'close' };
  response.req.resume();
  response.writeHead(status, { ...usual, ...headers, ...rest, 'content-length': Buffer.byteLength(text) }).end(text);
}

function decodedOf(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

export class Plane {
  readonly #routes = new Map<string, Route>();
  readonly #guard: (asked: Asked) => Answer | undefined;

  /** `guard` may answer in place of all routes. */
  constructor(guard: (asked: Asked) => Answer | undefined) {
    this.#guard = guard;
  }

  /** A path may end in `/:id`. */
  on(method: Method, path: string, route: Route): void {
    this.#routes.set(`${method} ${path}`, route);
  }

  async listen({ host, port }: Address): Promise<{ url: string; close: () => Promise<void> }> {
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
      void this.#answer(request)
        .catch((error: unknown) =>
          error instanceof Unreadable
            ? problem(error.status, error.message)
            : problem(500, 'The admin plane could not answer.'),
        )
        .then((answer) => write(response, answer))
        .catch(() => response.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, () => resolve());
    });
    const { address, family, port: bound } = server.address() as AddressInfo;
    return {
      url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const { method = 'GET', url = '/', headers } = request;
    const at = url.indexOf('?');
    const path = at < 0 ? url : url.slice(0, at);
    const asked = { method, url, headers, query: parse(at < 0 ? '' : url.slice(at + 1)), id: '', body: undefined };
    const refusal = this.#guard(asked);
    if (refusal) return refusal;
    const decoded = decodedOf(path);
    if (decoded === undefined) return problem(400, 'The path is not well formed.');
    // Node sends the head of such an answer alone.
    const isRead = method === 'GET' || method === 'HEAD';
    const [route, id] = this.#find(isRead ? 'GET' : method, decoded);
    if (!route) return problem(404, `Nothing is served at ${method} ${path}.`);
    return route({ ...asked, id, body: isRead ? undefined : await bodyOf(request) });
  }

  #find(method: string, path: string): readonly [Route | undefined, id: string] {
    const exact = this.#routes.get(`${method} ${path}`);
    if (exact) return [exact, ''];
    const end = path.lastIndexOf('/');
    return [this.#routes.get(`${method} ${path.slice(0, end)}/:id`), path.slice(end + 1)];
  }
}
