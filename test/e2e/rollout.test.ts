/** A staged rollout from publication to promotion or drop, with a real branch and consumers that call all the while. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isInCohort } from '../../runtime/generation/cohort.ts';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { keyHash, startWith, type TestGateway } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { headgate } from '../support/sample-repository.ts';
import { answerWell, startScripted } from '../support/scripted-upstream.ts';
import { grounds } from '../support/serving-process.ts';
import { until } from '../support/until.ts';
import { question, versioned, type VersionParts } from '../support/versioned.ts';

const names = Array.from({ length: 20 }, (_, index) => `team-${index}`);
const keyOf = (name: string) => `hg_key_of_${name}`;
const consumers = Object.fromEntries(names.map((name) => [name, { keys: [keyHash(keyOf(name))] }]));
const short = (seq: number) => sourceOf(seq).slice(0, 12);
const options = { timeout: 60_000 };

type Stages = NonNullable<SnapshotInput['rollout']>['stages'];
const long: Stages = [{ share: 0.3, for: '1h' }];

/** Version `n` for all consumers, in stages. */
const staged = (n: number, stages: Stages, { parts, ...rest }: VersionParts = {}): SnapshotInput =>
  versioned(n, { ...rest, parts: { rollout: { stages }, ...parts, consumers: { ...consumers, ...parts?.consumers } } });
const plain = (n: number, more: VersionParts = {}): SnapshotInput =>
  versioned(n, { ...more, parts: { ...more.parts, consumers } });

async function stage(context: TestContext) {
  const directory = await temporaryDirectory();
  context.after(() => directory.remove());
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  const start = async (...flags: string[]) => {
    const gateway = await startWith(['--repo', repository, '--poll', '100ms', ...flags]);
    context.after(() => gateway.close());
    return gateway;
  };
  return { branch: artifactBranch(repository), start, path: directory.path };
}

interface Answer {
  readonly status: number;
  readonly revision: string | null;
  readonly text: string | undefined;
}

async function askAs(gateway: TestGateway, key: string, model = 'which', more: object = {}): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await gateway.post('/v1/chat/completions', question(model, more), { headers });
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  const text = body.choices?.[0]?.message.content;
  return { status: response.status, revision: response.headers.get('headgate-revision'), text };
}

const rollout = (gateway: TestGateway, share: number) =>
  until(`a stage of ${share}`, async () => {
    const status = await gateway.status();
    return status.rollout?.share === share && status;
  });

/** The consumers who see version `n`, asked one after the other. */
async function seeing(gateway: TestGateway, n: number): Promise<string[]> {
  const seen: string[] = [];
  for (const name of names) if ((await askAs(gateway, keyOf(name))).text === `version ${n}`) seen.push(name);
  return seen;
}

test(
  'a cohort sees the new revision, nobody else does, and it is the same ones each time',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(plain(1));
    const gateway = await start();
    const commit = await branch.publish(staged(2, long));
    const status = await rollout(gateway, 0.3);
    const cohort = names.filter((name) => isInCohort(name, commit, 0.3));
    assert.ok(cohort.length > 0 && cohort.length < names.length);
    for (let asked = 0; asked < 100; asked += 1) {
      const name = names[asked % names.length] ?? '';
      const n = cohort.includes(name) ? 2 : 1;
      assert.deepEqual(await askAs(gateway, keyOf(name)), { status: 200, revision: short(n), text: `version ${n}` });
    }

    assert.equal(status.state, 'BAKING');
    assert.equal(status.active?.revision, short(1), 'what most are served by');
    assert.deepEqual(status.rollout?.candidate, { revision: short(2), commit });
    assert.deepEqual([status.rollout.stage, status.rollout.stages], [1, 1]);
    const { rollout: after } = await gateway.status();
    assert.deepEqual(after?.cohort, { requests: cohort.length * 5, failures: 0 });
    assert.deepEqual(after.others, { requests: (names.length - cohort.length) * 5, failures: 0 });
    assert.equal(after.evidence, 1);
    assert.match(await gateway.metrics(), /^headgate_config_rollout_share 0\.3$/m);
    const { stdout } = await headgate('.', ['status', gateway.adminUrl]);
    assert.match(stdout, new RegExp(`^rollout +${short(2)} serves 30 % of the consumers, stage 1 of 1 until `, 'm'));
    const unknown = await askAs(gateway, 'hg_nobody');
    assert.deepEqual([unknown.status, unknown.revision], [401, short(1)]);
  },
);

test(
  'a good revision reaches everyone stage by stage, nobody goes back, and streams end as they began',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(plain(1, { chunkInterval: '2000ms' }));
    const gateway = await start('--bake', '500ms');
    const stages: Stages = [
      { share: 0.3, for: '1s' },
      { share: 0.6, for: '1s' },
    ];
    const body = JSON.stringify(question('which', { stream: true }));
    const headers = { authorization: `Bearer ${keyOf('team-0')}`, 'content-type': 'application/json' };
    const stream = fetch(`${gateway.dataUrl}/v1/chat/completions`, { method: 'POST', headers, body });
    assert.equal((await stream).headers.get('headgate-revision'), short(1));
    const commit = await branch.publish(staged(2, stages));
    const shares = new Set<number>();
    const has2 = new Set<string>();
    await until(
      'everyone is served by 2, which proved itself',
      async () => {
        const status = await gateway.status();
        shares.add(status.rollout?.share ?? 1);
        for (const name of names) {
          const { text, status: code } = await askAs(gateway, keyOf(name), 'which', { max_tokens: 8 });
          assert.equal(code, 200);
          if (text === 'version 2') has2.add(name);
          else assert.ok(!has2.has(name), `${name} went back`);
        }
        return has2.size === names.length && status.lkg.commit === commit;
      },
      20_000,
    );
    assert.deepEqual(
      [...shares].filter((share) => share < 1),
      [0.3, 0.6],
    );
    const status = await gateway.status();
    assert.equal(status.state, 'STEADY');
    assert.equal(status.rollout, undefined);
    assert.match(await gateway.metrics(), /^headgate_config_rollout_share 0$/m);
    const events = await (await stream).text();
    assert.match(events, /\[DONE\]/);
  },
);

test(
  'a revision that fails its cohort is dropped by comparison, and nobody else ever saw it',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    // Not what the rules of health know at once: this vendor finds something wrong with each request.
    const vendor = await startScripted((received) => {
      if (received.path.startsWith('/good')) answerWell(received);
      else received.response.writeHead(400).end('{}');
    });
    context.after(() => vendor.close());
    await branch.publish(plain(1, { vendorUrl: `${vendor.url}/good` }));
    const gateway = await start();
    const commit = await branch.publish(staged(2, long, { vendorUrl: `${vendor.url}/picky` }));
    await rollout(gateway, 0.3);
    const cohort = names.filter((name) => isInCohort(name, commit, 0.3));
    const held = await until(
      'it is dropped',
      async () => {
        for (const name of names) {
          const { status, revision } = await askAs(gateway, keyOf(name), 'vendor');
          if (!cohort.includes(name)) assert.deepEqual([status, revision], [200, short(1)]);
        }
        const status = await gateway.status();
        return status.held && status;
      },
      20_000,
    );
    assert.equal(held.held?.reason, 'bad-health');
    assert.match(
      held.held.detail,
      new RegExp(
        `^revision ${short(2)} by Ada \\("A change"\\) was taken back while it served 30 % of the consumers: with it \\d+ of \\d+ requests failed, with the revision before it 0 of \\d+ at the same time$`,
      ),
    );
    assert.deepEqual(await seeing(gateway, 1), names);
    assert.equal((await gateway.status()).generationsLive, 1);
    await gateway.poke();
    assert.equal((await gateway.status()).held?.reason, 'bad-health', 'not tried again');
  },
);

test('what a staged revision takes away on purpose is not held against it', options, async (context) => {
  const { branch, start } = await stage(context);
  const target = { kind: 'target', provider: 'sandbox', model: 'small' } as const;
  await branch.publish(plain(1, { parts: { models: { which: { targets: target }, legacy: { targets: target } } } }));
  const gateway = await start();
  await branch.publish(staged(2, long, { parts: { removed: { 'models.legacy': 'replaced by which' } } }));
  await rollout(gateway, 0.3);
  for (let round = 0; round < 5; round += 1) for (const name of names) await askAs(gateway, keyOf(name), 'legacy');
  const { held, rollout: still } = await gateway.status();
  assert.equal(held, undefined);
  assert.ok(still && still.cohort.requests >= 5);
  assert.deepEqual([still.cohort.failures, still.evidence], [0, 1]);
});

test('what fails for both is held against nobody', options, async (context) => {
  const { branch, start } = await stage(context);
  const vendor = await startScripted(({ response }) => void response.writeHead(503).end('{}'));
  context.after(() => vendor.close());
  await branch.publish(plain(1, { vendorUrl: vendor.url }));
  const gateway = await start();
  await branch.publish(staged(2, long, { vendorUrl: `${vendor.url}/moved` }));
  await rollout(gateway, 0.3);
  for (let round = 0; round < 3; round += 1)
    for (const name of names) {
      assert.equal((await askAs(gateway, keyOf(name), 'vendor')).status, 502);
      assert.equal((await askAs(gateway, keyOf(name), 'no-such-model')).status, 404);
    }
  const { rollout: report, held } = await gateway.status();
  assert.equal(held, undefined);
  assert.ok((report?.cohort.failures ?? 0) > 0 && (report?.others.failures ?? 0) > 0, 'lost models count for both');
  assert.ok((report?.evidence ?? NaN) < 3);
});

test(
  'the rules of every trial are armed for the cohort: a refused credential ends the rollout within a second',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    const vendor = await startScripted((received) => {
      if (received.path.startsWith('/good')) answerWell(received);
      else received.response.writeHead(401).end('{}');
    });
    context.after(() => vendor.close());
    await branch.publish(plain(1, { vendorUrl: `${vendor.url}/good` }));
    const gateway = await start();
    const commit = await branch.publish(staged(2, long, { vendorUrl: `${vendor.url}/bad` }));
    await rollout(gateway, 0.3);
    const first = names.find((name) => isInCohort(name, commit, 0.3)) ?? '';
    for (let failed = 0; failed < 3; failed += 1) await askAs(gateway, keyOf(first), 'vendor');
    await until('it is taken back', async () => (await gateway.status()).held?.reason === 'bad-health', 1_000);
    assert.equal((await askAs(gateway, keyOf(first), 'vendor')).status, 200);
    assert.match(await gateway.metrics(), /^headgate_config_rollout_share 0$/m);
  },
);

test('fault 87: three replicas have the same cohort, which is what names and commit say', options, async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(plain(1));
  const replicas = await Promise.all([start(), start(), start()]);
  const commit = await branch.publish(staged(2, long));
  const cohort = names.filter((name) => isInCohort(name, commit, 0.3));
  for (const replica of replicas) {
    await rollout(replica, 0.3);
    assert.deepEqual(await seeing(replica, 2), cohort);
  }
});

test(
  'fault 84: a key that the new revision revokes is refused at once, and one that it brings works at once',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(plain(1));
    const gateway = await start();
    const rotated = Object.fromEntries(names.map((name) => [name, { keys: [keyHash(`${keyOf(name)}_new`)] }]));
    const commit = await branch.publish(staged(2, [{ share: 0.01, for: '1h' }], { parts: { consumers: rotated } }));
    await rollout(gateway, 0.01);
    const outside = names.find((name) => !isInCohort(name, commit, 0.01)) ?? '';
    assert.equal((await askAs(gateway, keyOf(outside))).status, 401);
    const brought = await askAs(gateway, `${keyOf(outside)}_new`);
    assert.deepEqual([brought.status, brought.revision], [200, short(2)]);
  },
);

test(
  'a newer commit takes the place of one in a stage, and a restart begins the rollout anew',
  options,
  async (context) => {
    const { branch, start, path } = await stage(context);
    await branch.publish(plain(1));
    const flags = ['--state-dir', join(path, 'state')];
    const gateway = await start(...flags);
    await branch.publish(staged(2, long));
    await rollout(gateway, 0.3);
    const third = await branch.publish(
      staged(3, [
        { share: 0.5, for: '1s' },
        { share: 0.6, for: '1h' },
      ]),
    );
    await rollout(gateway, 0.6);
    assert.deepEqual(await seeing(gateway, 2), []);
    assert.deepEqual(
      await seeing(gateway, 3),
      names.filter((name) => isInCohort(name, third, 0.6)),
    );
    assert.equal((await gateway.status()).generationsLive, 2);

    await gateway.close();
    const again = await start(...flags);
    const status = await rollout(again, 0.5);
    assert.equal(status.active?.revision, short(1));
    assert.deepEqual(
      await seeing(again, 3),
      names.filter((name) => isInCohort(name, third, 0.5)),
    );
  },
);

test('a pause holds a stage, and a pin of the staged revision brings it to everyone', options, async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(plain(1));
  const gateway = await start();
  const order = async (name: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${gateway.adminUrl}/${name}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, `${name}: ${response.status}`);
  };
  const commit = await branch.publish(
    staged(2, [
      { share: 0.3, for: '1s' },
      { share: 0.6, for: '1h' },
    ]),
  );
  const { rollout: first } = await rollout(gateway, 0.3);
  await order('pause', { for: '1h' });
  const over = Date.parse(first?.endsAt ?? '') + 500;
  await until('the stage is over', () => Promise.resolve(Date.now() > over));
  assert.equal((await gateway.status()).rollout?.share, 0.3);
  await order('pin', { commit, for: '1h' });
  await until('everyone is served by it', async () => (await gateway.status()).rollout === undefined);
  assert.deepEqual(await seeing(gateway, 2), names);
});

test(
  'what a consumer failed with before, and what the revision left alone, are held against nobody',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    let isRefusing = false;
    const vendor = await startScripted((received) => {
      if (isRefusing) received.response.writeHead(401).end('{}');
      else answerWell(received);
    });
    context.after(() => vendor.close());
    await branch.publish(plain(1, { vendorUrl: vendor.url }));
    const gateway = await start();
    // Whoever is going to be in the cohort is not known before: so all ask for what is not there, and some go on to.
    for (let asked = 0; asked < 20; asked += 1)
      for (const name of names) await askAs(gateway, keyOf(name), 'no-such-model');
    const commit = await branch.publish(staged(2, long, { vendorUrl: vendor.url }));
    await rollout(gateway, 0.3);
    isRefusing = true;
    for (let asked = 0; asked < 15; asked += 1)
      for (const name of names) {
        if (isInCohort(name, commit, 0.3)) {
          await askAs(gateway, keyOf(name), 'no-such-model');
          await askAs(gateway, keyOf(name), 'vendor');
        } else await askAs(gateway, keyOf(name), asked % 2 ? 'no-such-model' : 'which');
      }
    const { rollout: report, held } = await gateway.status();
    assert.equal(held, undefined);
    assert.ok((report?.evidence ?? NaN) < 3, `${report?.evidence}`);
  },
);

test('fault 60: a revision whose process dies in a stage is held at the next start', options, async (context) => {
  const place = await grounds(context);
  await place.branch.publish(plain(1));
  const before = place.start('--bake', '0s');
  await until('1 is kept', async () => (await before.status()).state === 'STEADY', 20_000);
  const bad = await place.branch.publish(staged(2, long));
  await until('2 is in a stage', async () => (await before.status()).rollout?.share === 0.3, 20_000);
  await before.end('SIGKILL');

  const again = place.start();
  const status = await until(
    'it is held',
    async () => {
      const now = await again.status();
      return now.held && now;
    },
    20_000,
  );
  assert.deepEqual(status.held, {
    commit: bad,
    reason: 'bad-health',
    detail: 'the gateway died while this revision was on trial',
  });
  assert.equal(status.rollout, undefined);
});
