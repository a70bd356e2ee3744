/** A real git host on port 0: `git http-backend` behind a small CGI wrapper, with faults on request and a journal. */
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { gitEnvironment, initRepository, temporaryDirectory } from './repository.ts';

export type FaultKind =
  /** Accepts the request and never answers. */
  | { readonly kind: 'hang' }
  /** Sends this many bytes of the true body and then nothing. */
  | { readonly kind: 'stall'; readonly after: number }
  /** Sends the true body byte by byte. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** Resets the connection before any answer. */
  | { readonly kind: 'reset' }
  /** States the full length, sends this many bytes and destroys the connection. */
  | { readonly kind: 'truncate'; readonly after: number }
  /** Sends this many bytes as if they were all. */
  | { readonly kind: 'shorten'; readonly after: number }
  | { readonly kind: 'html' }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }
  /** Flips one bit; a negative place counts from the end. */
  | { readonly kind: 'flip'; readonly at: number }
  /** Another body under the true content type. */
  | { readonly kind: 'replace'; readonly change: (body: Buffer) => Buffer }
  /** This body under this content type, without asking git. */
  | { readonly kind: 'answer'; readonly type: string; readonly body: Buffer }
  /** Runs before the request reaches git: the place for a push that wins a race. */
  | { readonly kind: 'before'; readonly run: () => Promise<unknown> };

export type Fault = FaultKind & {
  readonly method: 'GET' | 'POST';
  /** How many matching requests suffer; all of them when left out. */
  readonly times?: number;
};

export interface JournalEntry {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly gitProtocol: string | undefined;
  /** Settles when the connection that carried the request is gone. */
  readonly closed: Promise<void>;
}

export interface GitServerOptions {
  /** Requires `x-access-token:<token>`; changeable through `setToken`. */
  readonly token?: string;
  /** Ignores `Git-Protocol`, as old hosts do. */
  readonly isOld?: boolean;
  readonly tls?: { readonly key: string; readonly cert: string };
}

export interface GitServer {
  readonly url: string;
  /** The folder with the bare repositories. */
  readonly root: string;
  readonly requests: JournalEntry[];
  createRepository(name: string): Promise<string>;
  setFault(fault: Fault | undefined): void;
  setToken(token: string | undefined): void;
  /** Settles when a request that the fault hits has arrived. */
  nextFault(): Promise<JournalEntry>;
  close(): Promise<void>;
}

interface State {
  readonly root: string;
  readonly isOld: boolean;
  readonly requests: JournalEntry[];
  token: string | undefined;
  fault: Fault | undefined;
  hits: number;
  waiting: Array<(entry: JournalEntry) => void>;
}

export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const directory = await temporaryDirectory();
  const state: State = {
    root: directory.path,
    isOld: options.isOld ?? false,
    requests: [],
    token: options.token,
    fault: undefined,
    hits: 0,
    waiting: [],
  };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    serve(state, request, response).catch(() => response.destroy());
  };
  const server: Server = options.tls === undefined ? createServer(handle) : createSecureServer(options.tls, handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  return {
    url,
    root: state.root,
    requests: state.requests,
    async createRepository(name) {
      await initRepository(join(state.root, `${name}.git`), { bare: true });
      return `${url}/${name}.git`;
    },
    setFault(fault) {
      state.fault = fault;
      state.hits = 0;
    },
    setToken(token) {
      state.token = token;
    },
    nextFault: () => new Promise((resolve) => state.waiting.push(resolve)),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await directory.remove();
    },
  };
}

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const entry = record(state, request);
  const fault = takeFault(state, request.method ?? '', entry);
  const body = await collect(request);
  if (fault?.kind === 'before') await fault.run();
  if (fault !== undefined && answersItself(fault, request, response)) return;
  if (state.token !== undefined && entry.authorization !== basic(state.token)) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('no');
    return;
  }
  const answer = await runBackend(state, request, body);
  send(response, answer, fault);
}

function record(state: State, request: IncomingMessage): JournalEntry {
  const protocol = request.headers['git-protocol'];
  const entry: JournalEntry = {
    method: request.method ?? '',
    url: request.url ?? '',
    authorization: request.headers.authorization,
    gitProtocol: typeof protocol === 'string' ? protocol : undefined,
    closed: closingOf(request.socket),
  };
  state.requests.push(entry);
  return entry;
}

const closings = new WeakMap<Socket, Promise<void>>();

/** One promise per connection, since a kept-alive one carries many requests. */
function closingOf(socket: Socket): Promise<void> {
  const known = closings.get(socket) ?? new Promise<void>((resolve) => socket.once('close', () => resolve()));
  closings.set(socket, known);
  return known;
}

function takeFault(state: State, method: string, entry: JournalEntry): Fault | undefined {
  const { fault } = state;
  if (fault === undefined || fault.method !== method) return undefined;
  if (state.hits >= (fault.times ?? Infinity)) return undefined;
  state.hits += 1;
  for (const tell of state.waiting.splice(0)) tell(entry);
  return fault;
}

/** Faults for which git itself is never asked. */
function answersItself(fault: Fault, request: IncomingMessage, response: ServerResponse): boolean {
  switch (fault.kind) {
    case 'hang':
      return true;
    case 'reset':
      request.socket.resetAndDestroy();
      return true;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please sign in</html>');
      return true;
    case 'answer':
      response.writeHead(200, { 'content-type': fault.type }).end(fault.body);
      return true;
    case 'status':
      response.writeHead(fault.status, fault.headers).end('no');
      return true;
    case 'redirect':
      response.writeHead(fault.status ?? 302, { location: fault.location }).end();
      return true;
    default:
      return false;
  }
}

interface BackendAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

async function runBackend(state: State, request: IncomingMessage, body: Buffer): Promise<BackendAnswer> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const protocol = request.headers['git-protocol'];
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      ...gitEnvironment,
      GIT_PROJECT_ROOT: state.root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method ?? 'GET',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
      // Being somebody is what allows a push.
      REMOTE_USER: 'tester',
      REMOTE_ADDR: '127.0.0.1',
      ...(typeof protocol === 'string' && !state.isOld ? { GIT_PROTOCOL: protocol } : {}),
    },
  });
  child.stdin.on('error', () => {});
  child.stdin.end(body);
  const printed = await collect(child.stdout);
  const split = printed.indexOf('\r\n\r\n');
  const headers: Record<string, string> = {};
  for (const line of printed.toString('latin1', 0, split).split('\r\n')) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const { status = '200', ...rest } = headers;
  return { status: Number.parseInt(status, 10), headers: rest, body: printed.subarray(split + 4) };
}

function send(response: ServerResponse, { status, headers, body }: BackendAnswer, fault: Fault | undefined): void {
  const stated = { ...headers, 'content-length': String(body.length) };
  switch (fault?.kind) {
    case 'stall':
      response.writeHead(status, stated).write(body.subarray(0, fault.after));
      return;
    case 'drip':
      response.writeHead(status, stated);
      drip(response, body, fault.everyMs);
      return;
    case 'truncate':
      response.writeHead(status, stated).write(body.subarray(0, fault.after), () => response.destroy());
      return;
    case 'shorten':
      response.writeHead(status, headers).end(body.subarray(0, fault.after));
      return;
    case 'flip': {
      const damaged = Buffer.from(body);
      const at = fault.at < 0 ? damaged.length + fault.at : fault.at;
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      response.writeHead(status, stated).end(damaged);
      return;
    }
    case 'replace':
      response.writeHead(status, headers).end(fault.change(body));
      return;
    default:
      response.writeHead(status, stated).end(body);
  }
}

function drip(response: ServerResponse, body: Buffer, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    if (at < body.length) response.write(body.subarray(at, ++at));
    else response.end();
  }, everyMs);
  response.once('close', () => clearInterval(timer));
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function basic(token: string): string {
  return `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;
}
