/**
 * What `npm run soak:revisions` executes: two gateways on one branch and one Redis, under load, while revisions good and
 * bad come and go and the git host and Redis fail. Ends with a table, and with exit code 1 when a promise was broken.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startGitServer } from '../test/support/git-server.ts';
import { startRedis } from '../test/support/redis.ts';
import { temporaryDirectory } from '../test/support/repository.ts';
import { allows, newKey } from '../test/support/signing.ts';
import { until } from '../test/support/until.ts';
import { Actions } from './actions.ts';
import { drawsFrom } from './draws.ts';
import { Judge } from './judge.ts';
import { Ledger } from './ledger.ts';
import { startLoad } from './load.ts';
import { Publisher } from './publisher.ts';
import { startReplica, type Replica } from './replica.ts';
import { report } from './report.ts';
import { startUpstreams } from './upstreams.ts';
import { Weather } from './weather.ts';

const bakeMs = 2_000;
const pollMs = 500;
/** Requests a second at all replicas together. */
const rate = 80;
const longestSampleMs = 10_000;
/** How long a gateway waits for its store. */
const storePatienceMs = 300;

function optionsFrom(parameters: readonly string[]): { minutes: number; seed: number } {
  const { values } = parseArgs({
    args: [...parameters],
    options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  if (!(minutes > 0) || !Number.isInteger(seed))
    throw new Error('--minutes takes a number above 0, --seed a whole number');
  return { minutes, seed };
}

/** Keeps an eye on what status says, next to the figures. */
async function look(
  replica: Replica,
  { ledger, weather, fingerprint }: { ledger: Ledger; weather: Weather; fingerprint: string },
): Promise<string[]> {
  const isOver = weather.storeUnheard();
  const { heldStillMs } = await replica.sample();
  isOver(heldStillMs > storePatienceMs);
  const { active, verify, stateProblem } = await replica.status();
  const problems: string[] = [];
  if (ledger.at(active?.commit ?? '')?.servable !== true) problems.push(`status says that ${active?.commit} serves`);
  if (verify.mode !== 'signed' || verify.fingerprint !== fingerprint) problems.push('the signer is not ours');
  if (stateProblem !== undefined) problems.push(`its state: ${stateProblem}`);
  if (!(await replica.isReady())) problems.push('it is not ready');
  return problems.map((problem) => `${replica.name}: ${problem}`);
}

async function soak({ minutes, seed }: { minutes: number; seed: number }): Promise<readonly string[]> {
  await using stack = new AsyncDisposableStack();
  const owned = <Part>(part: Part, end: (part: Part) => Promise<void>): Part => stack.adopt(part, end);
  const directory = owned(await temporaryDirectory(), (one) => one.remove());
  const git = owned(await startGitServer(), (one) => one.close());
  const redis = owned(await startRedis(), (one) => one.stop());
  const upstreams = owned(await startUpstreams(), (one) => one.close());
  const repo = await git.createRepository('config');
  const signers = join(directory.path, 'signers');
  const key = newKey();
  await writeFile(signers, allows(key, 'namespaces="headgate-artifact"'));

  const [draws, ledger] = [drawsFrom(seed), new Ledger()];
  const weather = owned(new Weather(git, redis, draws), (one) => one.close());
  const publisher = new Publisher({ repository: join(git.root, 'config.git'), key, upstreams, ledger, draws });
  const replicas: Replica[] = [];
  stack.defer(() => replicas.forEach((replica) => replica.kill()));
  const shared = ['--repo', repo, '--signers', signers, '--store', redis.url, '--drain', '2s', '--bake-samples', '5'];
  const times = ['--poll', `${pollMs}ms`, '--bake', `${bakeMs}ms`];
  const actions = new Actions({ draws, ledger, publisher, replicas, weather, bakeMs });
  await actions.start();
  for (const name of ['replica 1', 'replica 2'])
    replicas.push(await startReplica(name, [...shared, ...times, '--state-dir', join(directory.path, name)]));
  for (const replica of replicas) await until(`${replica.name} is ready`, () => replica.isReady(), 20_000);

  const trialMs = bakeMs + 2_000;
  const judge = new Judge({
    ledger,
    trialMs,
    storeWasAway: (from, to) => weather.storeWasAway(from, to),
    storeBackFor: (at) => weather.storeBackFor(at),
  });
  const load = startLoad(replicas, judge, rate);
  const began = performance.now();
  const ends = began + minutes * 60_000;
  const problems: string[] = [];
  const sampling = (async () => {
    const everyMs = Math.min(longestSampleMs, (minutes * 60_000) / 24);
    while (performance.now() < ends) {
      for (const replica of replicas)
        problems.push(...(await look(replica, { ledger, weather, fingerprint: key.fingerprint })));
      await wait(everyMs);
    }
  })();
  while (performance.now() < ends && replicas.every((replica) => replica.isAlive)) await actions.next();
  for (const replica of replicas.filter(({ isAlive }) => !isAlive)) throw new Error(`${replica.name} died`);
  await sampling;
  await actions.checkpoint();
  await load.stop();
  const soaked = { seed, seconds: (performance.now() - began) / 1_000, actions, judge, ledger, replicas, problems };
  await until('the last requests are settled', async () =>
    (await Promise.all(replicas.map((replica) => replica.status()))).every((one) => one.generationsLive === 1),
  ).catch(() => undefined);
  const broken = [...(await report(soaked))];
  for (const replica of replicas) {
    const code = await replica.end();
    if (code !== 0) broken.push(`${replica.name}: ended with code ${code}`);
  }
  return broken;
}

// An exit of its own, so that what hangs on it takes Redis and the gateways along.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const options = optionsFrom(process.argv.slice(2));
console.log(`soaking for ${options.minutes} min with seed ${options.seed}`);
const broken = await soak(options);
console.log(broken.length === 0 ? 'Every promise was kept.' : `Broken promises:\n${broken.join('\n')}`);
process.exitCode = broken.length === 0 ? 0 : 1;
