/** Redis as fleets run it: clusters, and a master with replicas and a sentinel that watches them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connectRedis } from '../../runtime/redis/connection.ts';
import { freePort, startRedis, type TestRedis } from './redis.ts';
import { startProxy, type Proxy } from './tcp-proxy.ts';
import { tools } from './tools.ts';
import { until } from './until.ts';

export interface RedisFleet {
  readonly url: string;
  readonly servers: readonly [TestRedis, TestRedis];
  stop(): Promise<void>;
}

/** A fleet with one server that holds the counts, and others that follow it. */
export interface FollowedRedis extends RedisFleet {
  /** Has the first server hand over to the second while it lives. */
  handOver(): Promise<void>;
}

async function tell(server: Pick<TestRedis, 'url'>, ...words: string[]): Promise<unknown> {
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

const nodeTimeoutMs = 500;

/** A server waits for more followers otherwise. */
const followedAtOnce = ['--repl-diskless-sync-delay', '0'];

/** Three primaries, the first of which holds the counts and has a follower: two are left to agree that it is gone. */
export async function startFollowedCluster(...settings: string[]): Promise<FollowedRedis> {
  const node = async () => {
    const own = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs), ...followedAtOnce];
    return startRedis(...own, '--cluster-port', String(await freePort()), ...settings);
  };
  const [holder, second, third, follower] = [await node(), await node(), await node(), await node()];
  const nodes = [holder, second, third, follower];
  // All counts lie in the slot of `q`.
  const slot = Number(await tell(holder, 'CLUSTER', 'KEYSLOT', 'q'));
  await tell(holder, 'CLUSTER', 'ADDSLOTSRANGE', '0', String(slot));
  await tell(second, 'CLUSTER', 'ADDSLOTSRANGE', String(slot + 1), '15000');
  await tell(third, 'CLUSTER', 'ADDSLOTSRANGE', '15001', '16383');
  for (const [epoch, each] of nodes.entries()) {
    await tell(each, 'CLUSTER', 'SET-CONFIG-EPOCH', String(epoch + 1));
    const bus = /:\d+@(\d+)/.exec(String(await tell(each, 'CLUSTER', 'NODES')))?.[1] ?? '';
    if (each !== holder) await tell(holder, 'CLUSTER', 'MEET', '127.0.0.1', String(each.port), bus);
  }
  const id = String(await tell(holder, 'CLUSTER', 'MYID'));
  const follows = () => tell(follower, 'CLUSTER', 'REPLICATE', id).then(() => true);
  await until('the follower to know whom to follow', () => follows().catch(() => false), 10_000);
  for (const each of nodes) {
    const isWhole = async () => /cluster_state:ok/.test(String(await tell(each, 'CLUSTER', 'INFO')));
    await until('the cluster', isWhole, 10_000);
  }
  await until('the follower', async () => /master_link_status:up/.test(String(await tell(follower, 'INFO'))), 10_000);
  return {
    url: `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}?cluster`,
    servers: [holder, follower],
    handOver: async () => void (await tell(follower, 'CLUSTER', 'FAILOVER')),
    stop: async () => void (await Promise.all(nodes.map((each) => each.stop()))),
  };
}

export interface WatchedRedis extends FollowedRedis {
  /** What lies between the master and the one that follows it. */
  readonly link: Proxy;
}

export async function startSentinel(...settings: string[]): Promise<WatchedRedis> {
  const master = await startRedis(...followedAtOnce, ...settings);
  const link = await startProxy(master.port);
  const replica = await startRedis('--replicaof', `127.0.0.1 ${link.port}`, ...followedAtOnce, ...settings);
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
    link,
    async handOver() {
      await tell({ url: `redis://127.0.0.1:${port}` }, 'SENTINEL', 'FAILOVER', 'ours');
    },
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
      await Promise.all([master.stop(), replica.stop(), link.close()]);
      await rm(folder, { recursive: true });
    },
  };
}
