/** The data plane's socket: deadlines against slow clients, malformed requests, and the way out when the process ends. */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Crowd } from './crowd.ts';
import type { ErrorCode } from './errors.ts';
import type { Material } from './tls/material.ts';
import { isPlainHttp, SecureServer, type TlsSide } from './tls/secure-server.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  readonly url: string;
  /** From now on each answer ends its connection, so that clients come back on another one: to somebody else, where there is one. */
  retire(): void;
  /** Takes no new connection and lets requests in flight end; after `ms` what is left is cut. */
  drain(ms: number): Promise<void>;
  /** Cuts everything now. */
  close(): Promise<void>;
  /** Of TLS: for connections to come. Those that there are end with their next answer. */
  renew(material: Material): void;
}

/** What one client may take, so that none holds a socket for nothing. */
export interface Bounds {
  readonly headMs: number;
  /** For the whole request, its body included. */
  readonly requestMs: number;
  readonly idleMs: number;
  /** How often the others are looked at. */
  readonly checkMs: number;
}

/** Node's own defaults leave a slow head or body open for 40 s and more. */
const usualBounds: Bounds = {
  headMs: 10_000,
  requestMs: 300_000,
  // Longer than the idle time of usual load balancers, so that they close first and never meet a closed socket.
  idleMs: 65_000,
  checkMs: 1_000,
};

interface Refusal {
  readonly status: number;
  readonly phrase: string;
  readonly code: ErrorCode;
  /** In place of the phrase. */
  readonly message?: string;
}

const badRequest: Refusal = { status: 400, phrase: 'Bad Request', code: 'bad_request' };
const plainOnTls: Refusal = { ...badRequest, code: 'tls_required', message: 'This port speaks TLS: use https://.' };
const noTunnel: Refusal = { status: 405, phrase: 'Method Not Allowed', code: 'method_not_allowed' };
const noSuchExpectation: Refusal = { status: 417, phrase: 'Expectation Failed', code: 'expectation_failed' };
const malformed: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, phrase: 'Request Header Fields Too Large', code: 'head_too_large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, phrase: 'Request Timeout', code: 'request_timeout' },
};

/** What an answer was destroyed with whose time was over when the process ended. */
export class CutShort extends Error {}

const bodyOf = ({ phrase, code, message = `${phrase}.` }: Refusal): string =>
  JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } });

/** Answers what never became a request. Node's own answers would be fine but for the missing body. */
function refuse(socket: Duplex, refusal: Refusal): void {
  const { status, phrase } = refusal;
  const body = bodyOf(refusal);
  socket.end(
    `HTTP/1.1 ${status} ${phrase}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function listening(server: Server, { host, port }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

export async function listen(
  address: Address,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  bounds: Bounds = usualBounds,
  tls?: TlsSide,
): Promise<Listener> {
  const options: ServerOptions = {
    headersTimeout: bounds.headMs,
    requestTimeout: bounds.requestMs,
    connectionsCheckingInterval: bounds.checkMs,
    keepAliveTimeout: bounds.idleMs,
    maxHeaderSize: 16 * 1024,
    // The door asks for it too, and says so in a body.
    requireHostHeader: false,
    noDelay: true,
  };
  const secure = tls && new SecureServer(tls, { ...options, handshakeMs: bounds.headMs });
  const server: Server = secure?.server ?? createServer(options);
  const busy = new Crowd<ServerResponse>();
  let draining = false;
  let retiring = false;
  const latest = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => {
    // Where an answer ended the connection, what stands behind its request may be no request at all.
    if (latest.get(request.socket)?.getHeader('connection') === 'close') return;
    latest.set(request.socket, response);
    const leave = busy.enter(response);
    response.on('close', () => {
      leave();
      // Kept alive for a next request that must not come, it would hold the drain up to its end.
      if (draining) setImmediate(() => server.closeIdleConnections());
    });
    if (draining || retiring || secure?.isOutdated(request.socket)) response.setHeader('connection', 'close');
    handle(request, response);
  });
  // In the middle of an answer a refusal would be read as a part of it.
  const isAnswering = (socket: Duplex) =>
    [...busy].some((response) => response.socket === socket && response.headersSent);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const beneath = secure?.unfinished(socket, error.code);
    if (beneath) {
      if (isPlainHttp(error)) refuse(beneath, plainOnTls);
      else socket.destroy();
    } else if (isAnswering(socket) || !socket.writable || error.code === 'ECONNRESET') socket.destroy();
    else refuse(socket, malformed[error.code ?? ''] ?? badRequest);
  });
  server.on('connect', (_request, socket) => {
    if (isAnswering(socket)) socket.destroy();
    else refuse(socket, noTunnel);
  });
  server.on('checkExpectation', (_request, response) => {
    const headers = { 'content-type': 'application/json', connection: 'close' };
    response.writeHead(noSuchExpectation.status, headers).end(bodyOf(noSuchExpectation));
  });
  server.on('checkContinue', (request, response) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  await listening(server, address);
  const { address: host, port, family } = server.address() as AddressInfo;

  const endWithAnswers = () => {
    for (const response of busy) if (!response.headersSent) response.setHeader('connection', 'close');
  };
  const cut = () => {
    secure?.cutHandshakes();
    for (const response of busy) response.destroy(new CutShort());
    server.closeAllConnections();
  };
  return {
    renew: (material) => secure?.renew(material),
    url: `${secure ? 'https' : 'http'}://${family === 'IPv6' ? `[${host}]` : host}:${port}`,
    retire() {
      retiring = true;
      endWithAnswers();
    },
    async drain(ms) {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      endWithAnswers();
      server.closeIdleConnections();
      secure?.cutHandshakes();
      const timer = setTimeout(cut, ms);
      await closed;
      clearTimeout(timer);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cut();
      await closed;
    },
  };
}
