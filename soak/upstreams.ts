/** What stands behind the gateways: a mock of a vendor that others wrote, a REST service, and a host that is good for nothing. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LLMock } from '@copilotkit/aimock';

export interface Upstreams {
  /** Speaks OpenAI's chat completions and repeats the system prompt. */
  readonly vendorUrl: string;
  /** Answers what the gateway told it, as JSON. */
  readonly ordersUrl: string;
  /** 401 below `/locked`, 404 elsewhere. */
  readonly unfriendlyUrl: string;
  close(): Promise<void>;
}

async function started(listener: RequestListener): Promise<{ url: string; close: () => Promise<void> }> {
  // Longer than any pause of the load: a connection closed just when it is used again would be a fault of this side.
  const server = createServer({ keepAliveTimeout: 120_000 }, listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const orders: RequestListener = (request, response) => {
  let received = 0;
  request.on('data', (piece: Buffer) => (received += piece.length));
  request.on('end', () => {
    const { 'x-version': says, 'headgate-revision': revision } = request.headers;
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ says, revision, path: request.url, received }));
  });
};

const unfriendly: RequestListener = (request, response) => {
  request.resume();
  request.on('end', () => response.writeHead(request.url?.startsWith('/locked') === true ? 401 : 404).end('{}'));
};

export async function startUpstreams(): Promise<Upstreams> {
  const mock = new LLMock({ port: 0, chunkSize: 24, journalMaxEntries: 100 });
  mock.on({}, ({ messages }) => {
    const system = messages.find(({ role }) => role === 'system')?.content;
    return { content: typeof system === 'string' ? system : 'no system prompt came' };
  });
  await mock.start();
  const [rest, useless] = await Promise.all([started(orders), started(unfriendly)]);
  return {
    vendorUrl: mock.url,
    ordersUrl: rest.url,
    unfriendlyUrl: useless.url,
    async close() {
      await Promise.all([mock.stop(), rest.close(), useless.close()]);
    },
  };
}
