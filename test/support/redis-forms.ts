/** Redis as fleets run it: a cluster of two nodes, and a master with a replica and a sentinel that watches them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connectRedis } from '../../runtime/redis/connection.ts';
import { freePort, startRedis, type TestRedis } from './redis.ts';
import { tools } from './tools.ts';
import { until } from './until.ts';

export interface RedisFleet {
  readonly url: string;
  readonly servers: readonly [TestRedis, TestRedis];
  stop(): Promise<void>;
}

async function tell(server: TestRedis, ...words: string[]): Promise<unknown> {
  const connection = connectRedis(server.url, 2_000);
  try {
    return await connection.ask(() => connection.client.call(words[0] ?? '', ...words.slice(1)));
  } finally {
    connection.client.disconnect();
  }
}

export async function startCluster(): Promise<RedisFleet> {
  const node = async () => startRedis('--cluster-enabled', 'yes', '--cluster-port', String(await freePort()));
  const [one, other] = [await node(), await node()];
  await tell(one, 'CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
  await tell(other, 'CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
  const bus = /:\d+@(\d+)/.exec(String(await tell(other, 'CLUSTER', 'NODES')));
  await tell(one, 'CLUSTER', 'MEET', '127.0.0.1', String(other.port), bus?.[1] ?? '');
  for (const each of [one, other])
    await until(
      'the cluster',
      async () => /cluster_state:ok/.test(String(await tell(each, 'CLUSTER', 'INFO'))),
      10_000,
    );
  return {
    url: `redis://127.0.0.1:${one.port},127.0.0.1:${other.port}?cluster`,
    servers: [one, other],
    stop: async () => void (await Promise.all([one.stop(), other.stop()])),
  };
}

export async function startSentinel(): Promise<RedisFleet> {
  const master = await startRedis();
  const replica = await startRedis('--replicaof', `127.0.0.1 ${master.port}`);
  await until('the replica', async () => /master_link_status:up/.test(String(await tell(replica, 'INFO'))), 10_000);
  const folder = await mkdtemp(join(tmpdir(), 'headgate-sentinel-'));
  const port = await freePort();
  await writeFile(
    join(folder, 'sentinel.conf'),
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ours 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds ours 300',
      'sentinel failover-timeout ours 2000',
    ].join('\n'),
  );
  const child = spawn(tools.redisServer.find() ?? '', [join(folder, 'sentinel.conf'), '--sentinel'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('+slave ')) break;
  child.stdout.resume();
  return {
    url: `redis://127.0.0.1:${port}?sentinel=ours`,
    servers: [master, replica],
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await Promise.all([master.stop(), replica.stop()]);
      await rm(folder, { recursive: true });
    },
  };
}
