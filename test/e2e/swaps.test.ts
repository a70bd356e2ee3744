/** Swaps under load: a thousand revisions while clients ask on, unary and streaming. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const swaps = 1_000;
const clients = 4;

interface Tally {
  asked: number;
  failed: string[];
  mixed: string[];
}

/** Every answer must be whole and from one generation: what it says and what its header says belong together. */
function judge(tally: Tally, answer: { status: number; revision: string | null; text: string }): void {
  tally.asked += 1;
  const said = /version (\d+)/.exec(answer.text.replaceAll(/[^]*?"content":"([^"]*)"/g, '$1'))?.[1];
  if (answer.status !== 200 || said === undefined) tally.failed.push(`${answer.status} ${answer.text.slice(0, 200)}`);
  else if (sourceOf(Number(said)).slice(0, 12) !== answer.revision)
    tally.mixed.push(`${said} under ${answer.revision}`);
}

test(
  `faults 80, 83: ${swaps} swaps under load: no failed request, no mixed answer, one generation left, heap flat`,
  { timeout: 480_000 },
  async (context) => {
    await using directory = await temporaryDirectory();
    const repository = join(directory.path, 'repository.git');
    await initRepository(repository, { bare: true });
    const branch = artifactBranch(repository);
    await branch.publish(versioned(1));
    const gateway = await startWith(['--repo', repository, '--poll', '1h', '--bake', '0s']);
    context.after(() => gateway.close());

    const tally: Tally = { asked: 0, failed: [], mixed: [] };
    let over = false;
    const client = async (streaming: boolean) => {
      while (!over) {
        const response = await gateway.post('/v1/chat/completions', question('which', { stream: streaming }));
        judge(tally, {
          status: response.status,
          revision: response.headers.get('headgate-revision'),
          text: await response.text(),
        });
        // Flat out, clients in this process would starve the threads that verify, and a thousand swaps would take far longer.
        await pause(5);
      }
    };
    const load = Array.from({ length: clients }, (_, index) => client(index % 2 === 0));

    const heap: number[] = [];
    for (let n = 2; n <= swaps + 1; n += 1) {
      await branch.publish(versioned(n));
      await gateway.poke();
      await until(`${n} serves`, async () => gateway.revision === sourceOf(n).slice(0, 12));
      if (n % (swaps / 10) === 0) {
        globalThis.gc?.();
        heap.push(process.memoryUsage().heapUsed / 2 ** 20);
      }
    }
    over = true;
    await Promise.all(load);
    await until('one generation is left', async () => (await gateway.status()).generationsLive === 1);
    context.diagnostic(
      `${swaps} swaps, ${tally.asked} requests, heap in MiB: ${heap.map((size) => size.toFixed(1)).join(' ')}`,
    );
    assert.deepEqual(tally.failed, []);
    assert.deepEqual(tally.mixed, []);
    assert.ok(tally.asked > swaps, `only ${tally.asked} requests`);
    const [early, late] = [Math.min(...heap.slice(1, 4)), Math.min(...heap.slice(-3))];
    assert.ok(late < early * 1.25 + 4, `heap grew from ${early.toFixed(1)} to ${late.toFixed(1)} MiB`);
  },
);
