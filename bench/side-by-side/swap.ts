/** A swap of a big configuration under load: what it adds to the longest gap of the event loop, and to what clients wait. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { StatusReport } from '../../runtime/serve.ts';
import { artifactBranch } from '../../test/support/artifact-branch.ts';
import { freePort } from '../../test/support/redis.ts';
import { initRepository, runGit } from '../../test/support/repository.ts';
import { difference, large, largeSnapshot, stageSwaps } from '../swap-stall.ts';
import { askingOf, serveWords, snapshotFor, vendorEnvironment } from './headgate.ts';
import { median } from './median.ts';
import { runLoad } from './native.ts';
import { pinnedTo, Program } from './running.ts';
import { quietMoment, type Bench } from './sampling.ts';
import { requestOf, works } from './works.ts';

export interface SwapFigures {
  /** Milliseconds that a swap adds to the longest gap; the median of several. */
  readonly gapMs: number;
  /** Milliseconds. */
  readonly steadyP99: number;
  readonly swapP99: number;
  readonly p99Ratio: number;
  readonly swapSeconds: number;
  /** Before and after. */
  readonly areQuiet: boolean;
}

const swaps = 3;
const rate = 200;

/** With instruments on the loop of a gateway that nobody asks anything. */
async function addedGap(): Promise<number> {
  await using stage = await stageSwaps(large, swaps + 1);
  const added: number[] = [];
  for (let n = 2; n <= swaps + 1; n += 1) {
    const idle = await stage.gapsDuring(() => wait(1_500));
    added.push(difference(await stage.gapsDuring(() => stage.swapTo(n)), idle).own);
  }
  return median(added);
}

/** With the gateway as it is run, and requests at a steady rate. */
async function underLoad(bench: Bench, program: string): Promise<Omit<SwapFigures, 'gapMs' | 'areQuiet'>> {
  const folder = join(bench.folder, 'swap');
  const repository = join(folder, 'repository.git');
  mkdirSync(folder);
  await initRepository(repository, { bare: true });
  const branch = artifactBranch(repository, 'published');
  const own = snapshotFor(bench.upstreamPort, true);
  const commits: string[] = [];
  for (let n = 0; n <= swaps; n += 1) {
    const big = largeSnapshot(large, n);
    const merged = Object.entries(own).map(([name, part]) => {
      const other: unknown = Reflect.get(big, name);
      return [name, typeof part === 'object' && typeof other === 'object' ? { ...other, ...part } : part];
    });
    commits.push(await branch.publish({ ...big, ...Object.fromEntries(merged) }));
  }
  const tip = (n: number) => runGit(repository, ['update-ref', 'refs/heads/headgate/compiled', commits[n] ?? '']);
  await tip(0);
  const [port, admin] = [await freePort(), await freePort()];
  const words = serveWords({ folder, port, admin, repository, poll: '1h', bake: '0s' });
  const gateway = new Program(
    [...pinnedTo(bench.cores.gateway), process.execPath, program, 'serve', ...words],
    join(folder, 'access.log'),
    { PATH: process.env['PATH'], HOME: folder, NODE_ENV: 'production', ...vendorEnvironment },
  );
  try {
    return await swapWhileAsked(bench, { port, admin, folder, commits, tip });
  } finally {
    await gateway.end();
  }
}

interface Stage {
  readonly port: number;
  readonly admin: number;
  readonly folder: string;
  readonly commits: readonly string[];
  readonly tip: (n: number) => Promise<unknown>;
}

async function swapWhileAsked(bench: Bench, stage: Stage): Promise<Omit<SwapFigures, 'gapMs' | 'areQuiet'>> {
  const work = works.find(({ name }) => name === 'unary-16') ?? works[0];
  if (work === undefined) throw new Error('there is no work');
  const requestFile = join(stage.folder, 'request.http');
  writeFileSync(requestFile, requestOf(work, askingOf(work)));
  const ask = (seconds: number, requestsASecond: number, until?: Promise<unknown>) =>
    runLoad(
      [...pinnedTo(bench.cores.load), bench.native.load],
      { port: stage.port, requestFile, connections: 16, seconds, rate: requestsASecond, requests: 0 },
      until,
    );
  const serves = async (commit: string | undefined): Promise<void> => {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${stage.admin}/status`).catch(() => undefined);
      const status = (await answer?.json()) as StatusReport | undefined;
      if (status?.held) throw new Error(status.held.detail);
      if (status?.active?.commit === commit && status?.generationsLive === 1) return;
      await wait(100);
    }
  };
  await serves(stage.commits[0]);
  await ask(bench.course.warmSeconds * 2, 0);
  const [steady, during, lasted]: [number[], number[], number[]] = [[], [], []];
  for (let n = 1; n <= swaps; n += 1) {
    steady.push((await ask(4, rate)).p99);
    const began = performance.now();
    await stage.tip(n);
    const swapped = fetch(`http://127.0.0.1:${stage.admin}/poke`, { method: 'POST' }).then(() =>
      serves(stage.commits[n]),
    );
    during.push((await ask(60, rate, swapped)).p99);
    lasted.push((performance.now() - began) / 1e3);
  }
  const [steadyP99, swapP99] = [median(steady) / 1e3, median(during) / 1e3];
  return { steadyP99, swapP99, p99Ratio: swapP99 / steadyP99, swapSeconds: median(lasted) };
}

export async function measureSwap(bench: Bench, program: string): Promise<SwapFigures> {
  const wasQuiet = await quietMoment(bench);
  const figures = { gapMs: await addedGap(), ...(await underLoad(bench, program)) };
  return { ...figures, areQuiet: (await quietMoment(bench)) && wasQuiet };
}
