/** Redis in trouble under load, each sort once: what of the counts is lost, and for how long nothing is granted. */
import { setTimeout as wait } from 'node:timers/promises';
import { failoverInWords, loadWhile, type FailoverFigures, type FailoverLoad } from '../test/support/quota-failover.ts';
import { startFollowedCluster, startSentinel, type FollowedRedis } from '../test/support/redis-forms.ts';
import { startRedis } from '../test/support/redis.ts';
import { startProxy, type Proxy } from '../test/support/tcp-proxy.ts';

const load: FailoverLoad = { callers: 32, callMs: 5, forMs: 3_000, holdMs: 4_000 };
/** After it, a sentinel has told a master that handed over to follow the new one. */
const handedOverMs = 12_000;

async function inFleet<Fleet extends FollowedRedis>(
  starting: Promise<Fleet>,
  trouble: (fleet: Fleet) => Promise<void>,
  more: Partial<FailoverLoad> = {},
): Promise<FailoverFigures> {
  const fleet = await starting;
  try {
    return await loadWhile(fleet.url, { ...load, ...more }, () => trouble(fleet));
  } finally {
    await fleet.stop();
  }
}

async function overNetwork(trouble: (network: Proxy) => void): Promise<FailoverFigures> {
  const server = await startRedis();
  const network = await startProxy(server.port);
  try {
    return await loadWhile(`redis://127.0.0.1:${network.port}`, load, async () => {
      trouble(network);
      await wait(3_000);
      network.heal();
    });
  } finally {
    await network.close();
    await server.stop();
  }
}

const kill = ({ servers: [first] }: FollowedRedis) => first.kill();

async function freeze({ servers: [first] }: FollowedRedis): Promise<void> {
  first.freeze();
  await wait(5_000);
  first.continue();
}

async function handOver(fleet: FollowedRedis): Promise<void> {
  await fleet.handOver();
  await wait(handedOverMs);
}

const troubles: Readonly<Record<string, () => Promise<FailoverFigures>>> = {
  'a Redis whose answers are late': () => overNetwork((network) => network.delay('answered', 450)),
  'a Redis that hears late': () => overNetwork((network) => network.delay('asked', 450)),
  'a Redis that is heard of no more': () => overNetwork((network) => network.hold('answered')),
  'a Redis that hears nothing': () => overNetwork((network) => network.hold('asked')),
  'Sentinel, the master killed': () => inFleet(startSentinel(), kill),
  'Sentinel, the master killed while its follower is behind by up to 100 ms': () =>
    inFleet(
      startSentinel(),
      async (fleet) => {
        fleet.link.delay('answered', 50);
        await wait(1_000);
        await kill(fleet);
        fleet.link.cut();
      },
      { leftWithinMs: 1_200 },
    ),
  'Sentinel, the master frozen for 5 s': () => inFleet(startSentinel(), freeze),
  'Sentinel, the master hands over': () => inFleet(startSentinel(), handOver, { leftWithinMs: 2_500 }),
  'Cluster, a primary killed': () => inFleet(startFollowedCluster(), kill),
  'Cluster, a primary frozen for 5 s': () => inFleet(startFollowedCluster(), freeze),
  'Cluster, a primary hands over': () => inFleet(startFollowedCluster(), handOver),
};

/** Writes a line for each, and gives what was broken. */
export async function failovers(write: (line: string) => void): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [name, run] of Object.entries(troubles)) {
    const figures = await run();
    write(failoverInWords(name, figures));
    if (figures.lost > figures.atRisk) problems.push(`${name}: ${figures.lost} lost, ${figures.atRisk} at risk`);
    if (figures.over > 0) problems.push(`${name}: ${figures.over} counted that nobody used`);
  }
  return problems;
}
