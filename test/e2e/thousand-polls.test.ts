/** A gateway that polls a real git host a thousand times and is no larger for it. */
import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StatusReport } from '../../runtime/serve.ts';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startGitServer } from '../support/git-server.ts';
import { descriptorsOf, inspect, inspectable } from '../support/inspected.ts';
import { startHeadgate } from '../support/process.ts';
import { temporaryDirectory } from '../support/repository.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { versioned } from '../support/versioned.ts';

const polls = 1_000;
/** Until then compilers, caches and pools still fill. */
const warm = 200;
/** So many polls apart the branch moves, so that fetching is among what is measured. */
const moves = 100;

test(
  `fault 29: ${polls} polls leave heap, descriptors and temporary files as they were`,
  { skip: skipWithout(tools.gitHttpBackend), timeout: 170_000 },
  async (context) => {
    // One answer lists the branch on an old host, where a new one needs two: half the processes of git for the same polls.
    await using host = closing(await startGitServer({ isOld: true }));
    await using directory = await temporaryDirectory();
    const url = await host.createRepository('config');
    const branch = artifactBranch(join(host.root, 'config.git'));
    await branch.publish(versioned(1));
    const temporary = join(directory.path, 'temporary');
    await mkdir(temporary);
    const flags = [
      '--repo',
      url,
      '--poll',
      '1h',
      '--bake',
      '0s',
      '--drain',
      '0s',
      '--state-dir',
      join(directory.path, 'state'),
    ];
    const gateway = startHeadgate(['serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...flags], {
      env: { ...inspectable, TMPDIR: temporary },
    });
    context.after(() => gateway.end('SIGKILL'));
    const adminUrl = (await gateway.printed(/"event":"listening".*"adminUrl":"([^"]+)"/))[1] ?? '';
    const inspected = await inspect(gateway.output);
    const { pid = 0 } = gateway.child;

    const measure = async () => ({
      heap: (await inspected.heapUsed()) / 2 ** 20,
      descriptors: await descriptorsOf(pid),
      temporary: (await readdir(temporary, { recursive: true })).length,
    });
    const poll = async () => assert.equal((await fetch(`${adminUrl}/poke`, { method: 'POST' })).status, 202);

    const measured = [];
    const before = host.requests.length;
    for (let n = 1; n <= polls; n += 1) {
      if (n % moves === 0) await branch.publish(versioned(branch.seq + 1));
      await poll();
      if (n >= warm && n % moves === moves / 2) measured.push(await measure());
    }
    // A poke is answered once the branch was listed; what it found is worked upon after that.
    await until('the last one serves', async () => {
      const { active, source } = (await (await fetch(`${adminUrl}/status`)).json()) as StatusReport;
      assert.equal(source.consecutiveErrors, 0);
      return active?.revision === sourceOf(branch.seq).slice(0, 12);
    });
    assert.ok(host.requests.length - before >= polls, 'each poll asked the host');

    const [first, last] = [measured[0], measured.at(-1)];
    assert.ok(first && last);
    context.diagnostic(`after ${warm} and ${polls} polls: ${JSON.stringify(first)} ${JSON.stringify(last)}`);
    assert.ok(last.heap < first.heap * 1.1 + 2, `heap grew from ${first.heap} to ${last.heap} MiB`);
    assert.ok(last.descriptors <= first.descriptors + 3, `${first.descriptors}, then ${last.descriptors} descriptors`);
    assert.equal(last.temporary, first.temporary);
    inspected.close();
    assert.equal(await gateway.end(), 0);
  },
);

function closing<Host extends { close(): Promise<void> }>(host: Host): Host & AsyncDisposable {
  return Object.assign(host, { [Symbol.asyncDispose]: () => host.close() });
}
