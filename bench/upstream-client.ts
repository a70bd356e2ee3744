/**
 * What a request costs by our own upstream client and by undici, alone and behind the same bare `node:http` door: CPU time of the process
 * for each request or streamed chunk, runs interleaved, medians. `node --conditions=source bench/upstream-client.ts [requests] [rounds]`
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request as ask, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { UpstreamClient } from '../runtime/settings.ts';
import { OriginPool } from '../runtime/upstream/origin-pool.ts';

const chunks = 200;
const event = `data: ${JSON.stringify({ id: 'chatcmpl-1', choices: [{ index: 0, delta: { content: 'word '.repeat(20) } }] })}\n\n`;
const kilobyte = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(950) }] });
const limits = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`x-ratelimit-${index}`, '12345']));

interface Load {
  readonly path: string;
  readonly name: string;
  readonly body: string;
  /** Of the requests that are asked for. */
  readonly share: number;
  /** What one request counts for. */
  readonly units: number;
}

const loads: readonly Load[] = [
  { path: '/whole', name: '1 KB there and back, a request', body: kilobyte, share: 1, units: 1 },
  { path: '/large', name: '100 KB there and back, a request', body: kilobyte.repeat(100), share: 0.1, units: 1 },
  { path: '/burst', name: `${chunks} chunks in a burst, a chunk`, body: kilobyte, share: 0.05, units: chunks },
];

const listening = async (server: Server): Promise<string> => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

async function whole(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

const startUpstream = () =>
  listening(
    createServer((request, response) => {
      void whole(request).then((body) => {
        const isStream = request.url === '/burst';
        response.writeHead(200, {
          'content-type': isStream ? 'text/event-stream' : 'application/json',
          ...(!isStream && { 'content-length': body.byteLength }),
          ...limits,
        });
        if (isStream) for (let count = 0; count < chunks; count += 1) response.write(event);
        response.end(isStream ? undefined : body);
      });
    }),
  );

/** The twenty lines that anybody would write. */
async function door(client: UpstreamClient, origin: string): Promise<void> {
  const pool = new OriginPool(origin, client);
  const headers = { 'content-type': 'application/json', authorization: 'Bearer of-the-upstream', accept: '*/*' };
  const { signal } = new AbortController();
  const server = createServer((request, response) => {
    void whole(request).then(async (body) => {
      const answer = await pool.send({ method: 'POST', path: request.url ?? '/', headers, body, signal });
      for (const name of ['content-length', 'content-type']) {
        const value = answer.headers[name];
        if (typeof value === 'string') response.setHeader(name, value);
      }
      response.writeHead(answer.status);
      for await (const piece of answer.body) if (!response.write(piece)) await once(response, 'drain');
      response.end();
    });
  });
  server.keepAliveTimeout = 60_000;
  process.on('message', () => process.send?.(process.cpuUsage()));
  process.send?.(await listening(server));
}

const clients = ['undici', 'own'] as const;
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const row = (name: string, undici: number, own: number) =>
  `| ${name} | ${undici.toFixed(1)} | ${own.toFixed(1)} | ${(own / undici).toFixed(2)} |\n`;

async function askAll(pool: OriginPool, count: number): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer of-the-upstream', accept: '*/*' };
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const { signal } = new AbortController();
      const answer = await pool.send({ method: 'POST', path: '/whole', headers, body: kilobyte, signal });
      let size = 0;
      for await (const piece of answer.body) size += piece.byteLength;
      if (size !== kilobyte.length) throw new Error(`${size} bytes came back`);
    }
  };
  await Promise.all(Array.from({ length: 32 }, one));
}

/** Nothing but the clients, in one process. */
async function alone(origin: string, count: number, rounds: number): Promise<void> {
  const pools = clients.map((client) => ({ pool: new OriginPool(origin, client), micros: [] as number[] }));
  // The first two rounds warm up.
  for (let round = -2; round < rounds; round += 1)
    for (const { pool, micros } of pools) {
      const before = process.cpuUsage();
      await askAll(pool, count);
      const { user, system } = process.cpuUsage(before);
      if (round >= 0) micros.push((user + system) / count);
    }
  const [undici = NaN, own = NaN] = pools.map(({ micros }) => median(micros));
  process.send?.(row('no door, 1 KB there and back, a request', undici, own));
  process.exit();
}

async function told<Value>(child: ChildProcess): Promise<Value> {
  const [message] = (await once(child, 'message')) as [Value];
  return message;
}

async function cpuMs(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const { user, system } = await told<NodeJS.CpuUsage>(child);
  return (user + system) / 1e3;
}

async function drive(url: string, { path, body }: Load, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const request = ask(`${url}${path}`, { agent, method: 'POST', headers: { 'content-length': body.length } });
      request.end(body);
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      if (answer.statusCode !== 200) throw new Error(`${path} was answered with ${answer.statusCode}`);
      await once(answer.resume(), 'end');
    }
  };
  await Promise.all(Array.from({ length: 64 }, one));
  agent.destroy();
}

async function main(requests: number, rounds: number): Promise<void> {
  const origin = await startUpstream();
  process.stdout.write('| CPU, µs | undici | own | own / undici |\n| --- | --- | --- | --- |\n');
  process.stdout.write(await told<string>(fork(import.meta.filename, ['alone', origin, `${requests}`, `${rounds}`])));
  const doors = await Promise.all(
    clients.map(async (client) => {
      const child = fork(import.meta.filename, ['door', client, origin]);
      return { client, child, url: await told<string>(child), cost: new Map<string, number[]>() };
    }),
  );
  for (let round = -1; round < rounds; round += 1) {
    for (const load of loads) {
      for (const { child, url, cost } of doors) {
        const count = Math.ceil(requests * load.share);
        const before = await cpuMs(child);
        await drive(url, load, count);
        const micros = ((await cpuMs(child)) - before) * 1e3;
        // The first round warms up.
        if (round >= 0) cost.set(load.path, [...(cost.get(load.path) ?? []), micros / count / load.units]);
      }
    }
  }
  for (const { path, name } of loads) {
    const [undici = NaN, own = NaN] = doors.map(({ cost }) => median(cost.get(path) ?? []));
    process.stdout.write(row(name, undici, own));
  }
  for (const { child } of doors) child.kill();
  process.exit();
}

const [first, second, third, fourth] = process.argv.slice(2);
if (first === 'door') await door(second as UpstreamClient, third ?? '');
else if (first === 'alone') await alone(second ?? '', Number(third), Number(fourth));
else await main(Number(first ?? 20_000), Number(second ?? 5));
