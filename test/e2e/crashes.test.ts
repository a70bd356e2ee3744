/** What a gateway makes of its own death: killed at any moment, ended on purpose, started twice, out of disk. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { sourceOf } from '../support/artifact-branch.ts';
import { failingDisk } from '../support/failing-disk.ts';
import { testKey } from '../support/gateway.ts';
import { grounds, type Grounds, type Serving } from '../support/serving-process.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const options = { timeout: 170_000 };

const serves = (gateway: Serving, n: number) =>
  until(`version ${n} is served`, async () => (await gateway.which())?.says === `version ${n}`, 10_000);

const isIn = (gateway: Serving, state: string) =>
  until(`state ${state}`, async () => (await gateway.status()).state === state, 10_000);

/** Version 1 has passed its trial, and its process is gone. */
async function afterOne({ branch, start }: Grounds): Promise<void> {
  await branch.publish(versioned(1));
  const gateway = start('--bake', '0s');
  await gateway.printed(/"event":"kept"/);
  assert.equal(await gateway.end(), 0);
}

/** Reproducible: the seed is told when the test fails. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Kills a gateway over and over and looks at what the next one serves without git. Returns which steps were hit. */
async function killOften(place: Grounds, kills: number, random: () => number): Promise<Map<string, number>> {
  const hit = new Map<string, number>();
  let kept = 1;
  await afterOne(place);
  await place.setAway(true);
  for (let killed = 0; killed < kills; killed += 1) {
    const gateway = place.start('--bake', '100ms');
    // Some die before they have looked at anything.
    const isEarly = random() < 0.1;
    if (isEarly) await wait(random() * 1_500);
    else {
      await gateway.printed(/"event":"poll_failed"/);
      const { says = '', revision } = (await gateway.which()) ?? {};
      const seq = Number(/^version (\d+)$/.exec(says)?.[1]);
      assert.ok(seq >= kept && seq <= place.branch.seq, `${says} after ${kept} was kept`);
      assert.equal(revision, sourceOf(seq).slice(0, 12));
      await place.setAway(false);
      await place.branch.publish(versioned(place.branch.seq + 1));
      await wait(random() * 900);
      await place.setAway(true);
    }
    await gateway.end('SIGKILL');
    const entries = gateway.entries();
    kept = Math.max(kept, ...entries.filter(({ event }) => event === 'kept').map(({ seq }) => seq ?? 0));
    const step = isEarly
      ? 'start'
      : (entries.findLast(({ event }) => event === 'swap' || event === 'kept')?.event ?? 'before the swap');
    hit.set(step, (hit.get(step) ?? 0) + 1);
  }
  assert.ok(kept > 1, 'some revisions have passed their trial');
  return hit;
}

test(
  'fault 60: killed 36 times at random moments, it never comes back with less than had been kept',
  options,
  async (context) => {
    const seed = randomInt(2 ** 31);
    context.diagnostic(`seed ${seed}`);
    const lanes = await Promise.all(
      [0, 1, 2].map(async (lane) => killOften(await grounds(context), 12, randomFrom(seed + lane))),
    );
    for (const lane of lanes) context.diagnostic(JSON.stringify([...lane]));
  },
);

test(
  'fault 60: a revision that was on trial when the process was killed is held, with the reason',
  options,
  async (context) => {
    const place = await grounds(context);
    await afterOne(place);
    const gateway = place.start('--bake', '60s');
    const bad = await place.branch.publish(versioned(2));
    await serves(gateway, 2);
    await gateway.end('SIGKILL');

    const again = place.start('--bake', '60s');
    await isIn(again, 'HELD');
    assert.equal((await again.which())?.says, 'version 1');
    const detail = 'the gateway died while this revision was on trial';
    assert.deepEqual((await again.status()).held, { commit: bad, reason: 'bad-health', detail });
    assert.match(again.output, /"event":"died_before","pending":"[0-9a-f]{40}"/);
    await place.branch.publish(versioned(3));
    await serves(again, 3);
  },
);

test('fault 61: a revision that kills its process kills it once', options, async (context) => {
  const place = await grounds(context);
  await afterOne(place);
  await place.branch.publish(versioned(2));
  let swaps = 0;
  for (let start = 0; start < 4; start += 1) {
    const gateway = place.start('--bake', '60s');
    const [line] = await gateway.printed(/"event":"swap"|"state":"HELD"/);
    if (line.includes('swap')) swaps += 1;
    await gateway.end('SIGKILL');
  }
  assert.equal(swaps, 1);
});

test(
  'fault 61: a revision that kills its process while it is being built is given up at the third death',
  options,
  async (context) => {
    const place = await grounds(context);
    await afterOne(place);
    const bad = await place.branch.publish(versioned(2));
    const path = join(place.stateDir, 'state.json');
    const building = async (died: object) => {
      const { digest: _, ...content } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
      await writeFile(path, JSON.stringify({ ...content, building: bad, ...died }));
    };
    await building({});
    const second = place.start('--bake', '60s');
    await serves(second, 2);
    await second.end();

    await building({ died: { commit: bad, times: 2 } });
    const third = place.start('--bake', '60s');
    await isIn(third, 'HELD');
    assert.equal((await third.status()).held?.detail, 'the gateway died 3 times while this revision was being built');
    assert.equal((await third.which())?.says, 'version 1');
  },
);

test(
  'fault 61: ended on purpose during a trial, it goes on with the trial at the next start',
  options,
  async (context) => {
    const place = await grounds(context);
    await afterOne(place);
    await place.branch.publish(versioned(2));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const gateway = place.start('--bake', '60s');
      await serves(gateway, 2);
      assert.equal((await gateway.status()).state, 'BAKING');
      assert.equal(await gateway.end(signal), 0);
    }
    const last = place.start('--bake', '300ms');
    await last.printed(/"event":"kept".*"seq":2/);
    assert.equal((await last.which())?.says, 'version 2');
    assert.deepEqual((await last.status()).quarantine, []);
  },
);

test('fault 61: a drain that ends in SIGKILL condemns nobody', options, async (context) => {
  const place = await grounds(context);
  await afterOne(place);
  await place.branch.publish(versioned(2, { chunkInterval: '20000ms' }));
  const gateway = place.start('--bake', '60s');
  const dataUrl = await gateway.dataUrl();
  await gateway.printed(/"event":"swap"/);
  // Keeps the drain waiting.
  const request = fetch(`${dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(question('which', { stream: true })),
  }).catch(() => undefined);
  await until('the request is in flight', async () => (await gateway.status()).active?.inFlight === 1);
  gateway.child.kill('SIGTERM');
  await until('not on trial any more', async () => {
    const { pending } = JSON.parse(await readFile(join(place.stateDir, 'state.json'), 'utf8')) as { pending?: string };
    return pending === undefined;
  });
  await gateway.end('SIGKILL');
  await request;

  const again = place.start('--bake', '60s');
  await again.printed(/"event":"swap".*"seq":2/);
  assert.deepEqual((await again.status()).quarantine, []);
});

test(
  'fault 63: a second process on one state directory does not start, and does once the first is killed',
  options,
  async (context) => {
    const place = await grounds(context);
    await afterOne(place);
    const first = place.start();
    await serves(first, 1);
    const second = place.start();
    assert.equal(await second.end('SIGCONT'), 3);
    assert.match(
      second.output,
      /^headgate: the state directory \S+\/state is in use by another gateway process: .*--state-dir/m,
    );
    assert.doesNotMatch(second.output, /listening/);
    assert.equal((await first.which())?.says, 'version 1');
    await first.end('SIGKILL');
    await serves(place.start(), 1);
  },
);

test(
  'fault 62: with a full disk it serves, follows git and says so, and the next promotion is kept again',
  options,
  async (context) => {
    const place = await grounds(context);
    const disk = await failingDisk(context);
    await place.branch.publish(versioned(1));
    const gateway = place.start('--state-dir', disk.path, '--bake', '0s');
    await gateway.printed(/"event":"kept".*"seq":1/);
    await disk.fill();
    await place.branch.publish(versioned(2));
    await serves(gateway, 2);
    await isIn(gateway, 'STEADY');
    const status = await gateway.status();
    assert.equal(status.stateDir, 'memory');
    assert.match(status.stateProblem ?? '', /cannot be written .*held in memory only/);
    assert.match(gateway.output, /"event":"state_not_kept"/);
    await disk.free();
    await place.branch.publish(versioned(3));
    await gateway.printed(/"event":"kept".*"seq":3/);
    const after = await gateway.status();
    assert.deepEqual([after.stateDir, after.stateProblem], [disk.path, undefined]);
    await gateway.end('SIGKILL');
    await place.setAway(true);
    await serves(place.start('--state-dir', disk.path), 3);
  },
);

test('ended on purpose while it still waits for git, it drains', options, async (context) => {
  const place = await grounds(context);
  await afterOne(place);
  // Accepts connections and never answers.
  const silent = createServer();
  context.after(() => silent.close());
  const asked = once(silent, 'connection');
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const gateway = place.start('--repo', `http://127.0.0.1:${port}/config.git`);
  await asked;
  await serves(gateway, 1);
  assert.equal(await gateway.end(), 0);
});
