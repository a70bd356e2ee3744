/** The data plane's socket: deadlines against slow clients, malformed requests, and the way out when the process ends. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Listener {
  readonly url: string;
  /** Takes no new connection and lets requests in flight end; after `ms` what is left is cut. */
  drain(ms: number): Promise<void>;
  /** Cuts everything now. */
  close(): Promise<void>;
}

/** Answers for requests that never became one. Node's own would be fine but for the missing body. */
const malformed: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
};

function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, phrase] = malformed[error.code ?? ''] ?? [400, 'Bad Request'];
  const code = status === 431 ? 'head_too_large' : status === 408 ? 'request_timeout' : 'bad_request';
  const body = JSON.stringify({ error: { message: `${phrase}.`, type: 'invalid_request_error', param: null, code } });
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
): Promise<Listener> {
  const server = createServer({
    // Node's own defaults leave a slow head or body open for 40 s and more.
    headersTimeout: 10_000,
    requestTimeout: 60_000,
    connectionsCheckingInterval: 1_000,
    // Longer than the idle time of usual load balancers, so that they close first and never meet a closed socket.
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16 * 1024,
    noDelay: true,
  });
  const busy = new Set<ServerResponse>();
  let draining = false;
  server.on('request', (request, response) => {
    busy.add(response);
    response.once('close', () => busy.delete(response));
    if (draining) response.setHeader('connection', 'close');
    handle(request, response);
  });
  server.on('clientError', (error, socket) => refuse(error, socket as Socket));
  // A body is wanted or not by the line that reads it; until then the client may wait.
  server.on('checkContinue', (request, response) => {
    response.writeContinue();
    server.emit('request', request, response);
  });
  await listening(server, address);
  const { address: host, port, family } = server.address() as AddressInfo;

  const cut = () => server.closeAllConnections();
  return {
    url: `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`,
    async drain(ms) {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const response of busy) if (!response.headersSent) response.setHeader('connection', 'close');
      server.closeIdleConnections();
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
