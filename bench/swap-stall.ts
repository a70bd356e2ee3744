/**
 * What a swap of a big configuration does to the event loop: the longest gaps while a revision is fetched, verified, built,
 * swapped in and the old one disposed of, beside the longest gaps of the same loop idle. `npm run bench:swap`.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { StatusReport } from '../runtime/serve.ts';
import type { SnapshotInput } from '../runtime/snapshot.ts';
import { artifactBranch } from '../test/support/artifact-branch.ts';
import { keyHash, snapshotOf } from '../test/support/gateway.ts';
import { initRepository, runGit, temporaryDirectory } from '../test/support/repository.ts';
import type { Gaps } from './swap-stall-gateway.ts';

export interface Size {
  readonly routes: number;
  readonly prompts: number;
  readonly models: number;
  readonly consumers: number;
}

export const large: Size = { routes: 10_000, prompts: 1_000, models: 1_000, consumers: 1_000 };

const many = <Value>(count: number, prefix: string, make: (index: number) => Value): Record<string, Value> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, make(index)]));

/** A configuration as a large company might have it; `revision` changes something everywhere. */
export function largeSnapshot(size: Size, revision: number): SnapshotInput {
  const vendorModels = many(50, 'vendor-model-', () => ({ contextWindow: 128_000, maxOutputTokens: 8_000 }));
  const text = `You are agent {{name}} of revision ${revision}. ${'Answer in short and friendly sentences. '.repeat(40)}`;
  const target = (index: number) => ({
    kind: 'target' as const,
    provider: `vendor${index % 10}`,
    model: `vendor-model-${index % 50}`,
  });
  const sources = (collection: string, prefix: string, count: number) =>
    Object.entries(
      many(count, `${collection}.${prefix}`, (index) => `gateway/${collection}/${prefix}${index}.ts:${index % 90}:3`),
    );
  return snapshotOf({
    providers: many(10, 'vendor', (index) => ({
      kind: 'openai',
      options: { baseUrl: `http://127.0.0.1:9/${index}` },
      models: vendorModels,
    })),
    prompts: many(size.prompts, 'prompt', () => ({ system: text, fixtures: { one: { name: 'Ada' } } })),
    models: many(size.models, 'model', (index) => ({
      targets: {
        kind: 'group',
        balance: 'ordered',
        of: [{ node: target(index) }, { node: target(index + 1) }],
      },
      prompt: { name: `prompt${index % size.prompts}`, variables: { name: { from: 'header', name: 'x-name' } } },
    })),
    quotas: { hourly: { unit: 'requests', limit: 1_000 + revision, window: '1h' } },
    consumers: many(size.consumers, 'consumer', (index) => ({ keys: [keyHash(`key ${index}`) as 'sha256:'] })),
    upstreams: many(100, 'upstream', (index) => ({ url: `http://10.0.0.${index}:8080/base` })),
    routes: many(size.routes, 'route', (index) => ({
      path: `/service-${index}/orders/*`,
      methods: index % 2 ? ['GET', 'HEAD'] : ['GET', 'POST', 'PUT'],
      upstream: `upstream${index % 100}`,
      stripPrefix: `/service-${index}`,
      quotas: ['hourly'],
    })),
    sources: Object.fromEntries([
      ...sources('routes', 'route', size.routes),
      ...sources('models', 'model', size.models),
      ...sources('prompts', 'prompt', size.prompts),
    ]),
  });
}

export interface Stage extends AsyncDisposable {
  /** Watches the loop of the gateway while `work` runs. */
  gapsDuring(work: () => Promise<unknown>): Promise<Gaps>;
  /** Makes revision `n` (from 2 on) the tip, waits until it serves, was promoted, and its predecessor is gone. */
  swapTo(n: number): Promise<void>;
}

const gatewayProgram = fileURLToPath(new URL('./swap-stall-gateway.ts', import.meta.url));

/** A gateway that serves revision 1 of `size` from a local repository, with `revisions` in all to swap to. */
export async function stageSwaps(size: Size, revisions: number): Promise<Stage> {
  const directory = await temporaryDirectory();
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  // Published beforehand: packing objects would compete with what is measured.
  const branch = artifactBranch(repository, 'published');
  const commits = [''];
  for (let n = 1; n <= revisions; n += 1) commits.push(await branch.publish(largeSnapshot(size, n)));
  await runGit(repository, ['update-ref', 'refs/heads/headgate/compiled', commits[1] ?? '']);
  const flags = ['--repo', repository, '--poll', '1h', '--bake', '0s', '--state-dir', join(directory.path, 'state')];
  const gateway = fork(gatewayProgram, flags, { execArgv: ['--conditions=source'] });
  const heard = async () => ((await once(gateway, 'message')) as [unknown])[0];
  const adminUrl = (await heard()) as string;
  const status = async () => (await (await fetch(`${adminUrl}/status`)).json()) as StatusReport;
  return {
    async gapsDuring(work) {
      gateway.send('watch');
      // Lets the instruments themselves settle.
      await wait(20);
      await work();
      gateway.send('tell');
      return (await heard()) as Gaps;
    },
    async swapTo(n) {
      await writeFile(join(repository, 'refs/heads/headgate/compiled'), `${commits[n] ?? ''}\n`);
      await fetch(`${adminUrl}/poke`, { method: 'POST' });
      // Asked rarely: the question is answered on the loop that is being watched.
      for (;;) {
        const { active, generationsLive, held } = await status();
        if (held) throw new Error(held.detail);
        if (active?.commit === commits[n] && generationsLive === 1) return;
        await wait(100);
      }
    },
    async [Symbol.asyncDispose]() {
      gateway.send('end');
      await once(gateway, 'exit');
      await directory.remove();
    },
  };
}

export const difference = (swap: Gaps, idle: Gaps): Gaps => ({
  ticker: swap.ticker - idle.ticker,
  monitor: swap.monitor - idle.monitor,
  own: swap.own - idle.own,
  cpu: swap.cpu - idle.cpu,
  collection: swap.collection - idle.collection,
  lasted: swap.lasted,
});

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const columns = ['ticker', 'monitor', 'own', 'cpu', 'collection', 'lasted'] as const;
const row = (head: string, cells: readonly string[]): string =>
  head.padEnd(10) + cells.map((cell) => cell.padStart(12)).join('');
const figures = (gaps: Gaps): string[] => columns.map((column) => gaps[column].toFixed(1));

async function print(swaps: number): Promise<void> {
  const { routes, models, prompts, consumers } = large;
  console.log(`${routes} routes, ${models} models, ${prompts} prompts, ${consumers} consumers; milliseconds`);
  console.log(row('', columns));
  await using stage = await stageSwaps(large, swaps + 1);
  const added: Gaps[] = [];
  for (let n = 2; n <= swaps + 1; n += 1) {
    const idle = await stage.gapsDuring(() => wait(1_500));
    const swap = await stage.gapsDuring(() => stage.swapTo(n));
    added.push(difference(swap, idle));
    console.log(`${row(`idle ${n - 1}`, figures(idle))}\n${row(`swap ${n - 1}`, figures(swap))}`);
  }
  const over = (pick: (values: readonly number[]) => number) =>
    columns.slice(0, -1).map((column) => pick(added.map((gaps) => gaps[column])).toFixed(1));
  console.log('What the swap adds to the longest gap:');
  console.log(
    `${row('median', over(median))}\n${row(
      'worst',
      over((values) => Math.max(...values)),
    )}`,
  );
}

if (import.meta.main) await print(Number(process.argv[2] ?? 10));
