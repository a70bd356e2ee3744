/** A real Redis server of a test's own: nothing kept, any port, and ways to make it fail. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inCi, skipWithout, tools } from './tools.ts';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** The process stands still; its sockets stay open and accept. */
  freeze(): void;
  continue(): void;
  /** Ends the process at once; `start` brings an empty one back on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function redisAvailable(): boolean {
  return tools.redisServer.find() !== undefined;
}

/** For the `skip` option of a test. */
export function skipWithoutRedis(): string | false {
  return skipWithout(tools.redisServer);
}

export async function startRedis(...settings: string[]): Promise<TestRedis> {
  const program = tools.redisServer.find();
  if (program === undefined) {
    throw new Error(`redis-server is not on PATH${inCi() ? ' and CI is set' : ''}; install Debian's redis-server`);
  }
  const folder = await mkdtemp(join(tmpdir(), 'headgate-redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;

  const killWithUs = () => child?.kill('SIGKILL');
  process.once('exit', killWithUs);

  async function start(): Promise<void> {
    child = await launch(program ?? '', ['--port', String(port), '--dir', folder, ...settings]);
  }

  async function kill(): Promise<void> {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    child = undefined;
  }

  async function stop(): Promise<void> {
    await kill();
    process.off('exit', killWithUs);
    await rm(folder, { recursive: true, force: true });
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    freeze: () => void child?.kill('SIGSTOP'),
    continue: () => void child?.kill('SIGCONT'),
    kill,
    start,
    stop,
  };
}

async function launch(program: string, settings: string[]): Promise<ChildProcess> {
  const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  const child = spawn(program, [...fixed, ...settings], { stdio: ['ignore', 'pipe', 'ignore'] });
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (line.includes('Ready to accept connections')) {
      child.stdout.resume();
      return child;
    }
  }
  throw new Error(`redis-server did not start:\n${said.join('\n')}`);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
