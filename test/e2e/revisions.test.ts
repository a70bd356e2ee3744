import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { join } from 'node:path';
import { plainText } from '../../config-sdk/plan/change.ts';
import { planBetween } from '../../config-sdk/plan/plan.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import { artifactBranch, sourceOf, type ArtifactBranch } from '../support/artifact-branch.ts';
import { artifactFiles, keyHash, startWith, type TestGateway } from '../support/gateway.ts';
import { startGitServer, type GitServer } from '../support/git-server.ts';
import { temporaryDirectory } from '../support/repository.ts';
import { answerWell, startScripted } from '../support/scripted-upstream.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const options = { skip: skipWithout(tools.gitHttpBackend), timeout: 60_000 };

interface Stage {
  readonly host: GitServer;
  readonly url: string;
  readonly branch: ArtifactBranch;
  readonly stateDir: string;
  readonly start: (...flags: string[]) => Promise<TestGateway>;
}

/** A git host with an empty repository, and a way to start gateways on it that end with the test. */
async function stage(context: TestContext): Promise<Stage> {
  const host = await startGitServer();
  const url = await host.createRepository('config');
  const state = await temporaryDirectory();
  context.after(async () => {
    await host.close();
    await state.remove();
  });
  return {
    host,
    url,
    branch: artifactBranch(join(host.root, 'config.git')),
    stateDir: state.path,
    async start(...flags) {
      const gateway = await startWith(['--repo', url, '--poll', '200ms', '--state-dir', state.path, ...flags]);
      context.after(() => gateway.close());
      return gateway;
    },
  };
}

/** What model `which` answers, and the revision that says so. */
async function which(gateway: TestGateway): Promise<string> {
  const response = await gateway.post('/v1/chat/completions', question());
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  return body.choices?.[0]?.message.content ?? `status ${response.status}`;
}

const serves = (gateway: TestGateway, n: number, withinMs = 6_000) =>
  until(`version ${n} is served`, async () => (await which(gateway)) === `version ${n}`, withinMs);

const held = (gateway: TestGateway, reason: string) =>
  until(`held because of ${reason}`, async () => {
    const status = await gateway.status();
    return status.held?.reason === reason && status;
  });

test('a published change is live within a poll, and a revert likewise', options, async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start();
  assert.equal(await which(gateway), 'version 1');
  await branch.publish(versioned(2));
  await serves(gateway, 2, 2_000);
  assert.equal(gateway.revision, sourceOf(2).slice(0, 12));
  await branch.publish(versioned(1));
  await serves(gateway, 1, 2_000);
  assert.equal(gateway.revision, sourceOf(3).slice(0, 12));
});

test(
  'fault 30: without a revision the gateway says 503 and becomes ready when one is published',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    const gateway = await start();
    assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 503);
    const refused = await gateway.post('/v1/chat/completions', question());
    assert.equal(refused.status, 503);
    assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'not_ready');
    await branch.publish(versioned(1));
    await serves(gateway, 1);
    assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);
  },
);

test(
  'faults 46, 68: a revision that cannot be served is refused with its reason, and the old one goes on',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(versioned(1));
    const gateway = await start();
    const bad: [string, () => Promise<string>, string, RegExp][] = [
      [
        'bytes that are not those of the manifest',
        () => branch.publish(versioned(2), { replace: { 'snapshot.json': Buffer.from('{}') } }),
        'invalid',
        /snapshot\.json is not the file/,
      ],
      [
        'a manifest that is no JSON',
        () => branch.publish(versioned(2), { replace: { 'manifest.json': Buffer.from('{') } }),
        'schema',
        /manifest\.json is not JSON/,
      ],
      ['an unknown field', () => branch.publish({ ...versioned(2), surprise: 1 } as never), 'schema', /surprise/],
      [
        'a model without its provider',
        () =>
          branch.publish(
            versioned(2, {
              parts: { models: { which: { targets: { kind: 'target', provider: 'gone', model: 'm' } } } },
            }),
          ),
        'invalid',
        /'gone', which does not exist/,
      ],
      [
        'a secret that is absent',
        () =>
          branch.publish(
            versioned(2, {
              parts: {
                providers: {
                  vendor: { kind: 'openai', options: { apiKey: { $secret: 'NOT_SET_ANYWHERE' } }, models: {} },
                },
              },
            }),
          ),
        'invalid',
        /gateway\.config\.ts:7:16 providers\.vendor: secret NOT_SET_ANYWHERE is absent/,
      ],
    ];
    for (const [what, publish, reason, detail] of bad) {
      const commit = await publish();
      const status = await until(what, async () => {
        const now = await gateway.status();
        return now.held?.commit === commit && now;
      });
      assert.equal(status.held?.reason, reason, what);
      assert.match(status.held?.detail ?? '', detail, what);
      assert.equal(await which(gateway), 'version 1', what);
    }
    await branch.publish(versioned(3));
    await serves(gateway, 3);
  },
);

test(
  'fault 69: a revision that turns unhealthy is taken back at once and not tried again until the branch moves',
  options,
  async (context) => {
    const { host, branch, start, stateDir, url } = await stage(context);
    const vendor = await startScripted((received) => {
      if (received.path.startsWith('/good')) answerWell(received);
      else
        received.response
          .writeHead(401, { 'content-type': 'application/json' })
          .end('{"error":{"code":"invalid_api_key"}}');
    });
    context.after(() => vendor.close());
    await branch.publish(versioned(1, { vendorUrl: `${vendor.url}/good` }));
    const gateway = await start('--bake', '30s');
    const bad = await branch.publish(versioned(2, { vendorUrl: `${vendor.url}/bad` }));
    await serves(gateway, 2);
    for (let failed = 0; failed < 3; failed += 1)
      assert.equal((await gateway.post('/v1/chat/completions', question('vendor'))).status, 502);
    const failing = performance.now();
    await serves(gateway, 1, 1_000);
    assert.ok(performance.now() - failing < 1_000, 'back within a second of the failing rule');

    const status = await held(gateway, 'bad-health');
    assert.equal(status.held?.commit, bad);
    const sentence = new RegExp(
      `revision ${sourceOf(2).slice(0, 12)} by Ada \\("A change"\\) was taken back: vendor/m refused our credential.*providers\\.vendor at gateway\\.config\\.ts:7:16`,
    );
    assert.match(status.held?.detail ?? '', sentence);
    assert.equal((await gateway.post('/v1/chat/completions', question('vendor'))).status, 200);

    // Polling on sees the same tip and fetches nothing.
    const before = host.requests.filter(
      ({ method, url: asked }) => method === 'POST' && asked.includes('upload-pack'),
    ).length;
    for (let polled = 0; polled < 100; polled += 1) await gateway.poke();
    const fetches = host.requests.filter(
      ({ gitProtocol, method }) => method === 'POST' && gitProtocol !== 'version=2',
    ).length;
    assert.equal(await which(gateway), 'version 1');
    // One for each revision, and one for what stood before the first.
    assert.ok(before > 0 && fetches <= 3, `${fetches} fetches for two revisions`);

    // A new process on the same state holds the verdict too.
    await gateway.close();
    const again = await startWith(['--repo', url, '--poll', '200ms', '--state-dir', stateDir]);
    context.after(() => again.close());
    assert.equal(await which(again), 'version 1');
    assert.equal((await again.status()).held?.reason, 'bad-health');

    await branch.publish(versioned(3, { vendorUrl: `${vendor.url}/good` }));
    await serves(again, 3);
  },
);

test("fault 75: a vendor's outage during the trial is not held against the revision", options, async (context) => {
  const { branch, start } = await stage(context);
  let down = false;
  const vendor = await startScripted((received) => {
    if (!down) answerWell(received);
    else received.response.writeHead(503).end();
  });
  context.after(() => vendor.close());
  await branch.publish(versioned(1, { vendorUrl: `${vendor.url}/one` }));
  const gateway = await start('--bake', '1500ms');
  await branch.publish(versioned(2, { vendorUrl: `${vendor.url}/two` }));
  await serves(gateway, 2);
  down = true;
  for (let failed = 0; failed < 10; failed += 1) await gateway.post('/v1/chat/completions', question('vendor'));
  await until('promoted', async () => (await gateway.status()).state === 'STEADY', 4_000);
  assert.equal(await which(gateway), 'version 2');
});

test(
  'fault 75: a credential that fails on an unchanged provider is no evidence against the revision',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    const vendor = await startScripted(({ response }) => void response.writeHead(401).end('{}'));
    context.after(() => vendor.close());
    await branch.publish(versioned(1, { vendorUrl: vendor.url }));
    const gateway = await start('--bake', '1500ms');
    await branch.publish(versioned(2, { vendorUrl: vendor.url }));
    await serves(gateway, 2);
    for (let failed = 0; failed < 6; failed += 1) await gateway.post('/v1/chat/completions', question('vendor'));
    await until('promoted', async () => (await gateway.status()).state === 'STEADY', 4_000);
    assert.equal(await which(gateway), 'version 2');
  },
);

test(
  'fault 81: a stream that runs through a swap and a rollback ends on the generation it began on',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    const vendor = await startScripted(({ response }) => void response.writeHead(401).end('{}'));
    context.after(() => vendor.close());
    await branch.publish(versioned(1, { chunkInterval: '1500ms' }));
    const gateway = await start('--bake', '30s');
    const old = await gateway.post('/v1/chat/completions', question('which', { stream: true }));
    await branch.publish(versioned(2, { chunkInterval: '1500ms', vendorUrl: vendor.url }));
    await until('swapped', async () => gateway.revision === sourceOf(2).slice(0, 12));
    const young = await gateway.post('/v1/chat/completions', question('which', { stream: true }));
    for (let failed = 0; failed < 3; failed += 1) await gateway.post('/v1/chat/completions', question('vendor'));
    await held(gateway, 'bad-health');
    const [oldText, youngText] = await Promise.all([old.text(), young.text()]);
    assert.equal(old.headers.get('headgate-revision'), sourceOf(1).slice(0, 12));
    assert.equal(young.headers.get('headgate-revision'), sourceOf(2).slice(0, 12));
    const said = (text: string) => [...text.matchAll(/"content":"([^"]*)"/g)].map((match) => match[1]).join('');
    assert.equal(said(oldText), 'version 1');
    assert.equal(said(youngText), 'version 2');
    assert.match(oldText, /data: \[DONE\]\n\n$/);
    assert.match(youngText, /data: \[DONE\]\n\n$/);
    await until('only one generation is left', async () => (await gateway.status()).generationsLive === 1);
  },
);

test('a newer commit interrupts a fetch that hangs', options, async (context) => {
  const { host, branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start();
  let hung = 0;
  const run = async () => {
    // Listings speak protocol 2, fetches do not: the first fetch never gets its answer.
    if (host.requests.at(-1)?.gitProtocol === 'version=2' || hung > 0) return;
    hung += 1;
    await new Promise(() => {});
  };
  host.setFault({ method: 'POST', kind: 'before', run });
  await branch.publish(versioned(2));
  await until('the fetch hangs', async () => hung === 1);
  assert.equal((await gateway.status()).state, 'FETCHING');
  assert.equal(await which(gateway), 'version 1');
  await branch.publish(versioned(3));
  // Far below the ten seconds after which silence alone would end the fetch.
  await serves(gateway, 3, 3_000);
});

test('the git host going away and coming back changes nothing for traffic', options, async (context) => {
  const { host, branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start();
  host.setFault({ method: 'GET', kind: 'reset' });
  const failing = await until('the error is visible', async () => {
    const status = await gateway.status();
    return status.source.consecutiveErrors >= 2 && status;
  });
  assert.equal(failing.source.errorCode, 'GIT_NET');
  assert.equal(failing.state, 'STEADY');
  assert.equal(await which(gateway), 'version 1');
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);
  await branch.publish(versioned(2));
  host.setFault(undefined);
  await serves(gateway, 2, 8_000);
  assert.equal((await gateway.status()).source.consecutiveErrors, 0);
});

test(
  'faults 35, 48: a branch that was rewound is refused: an older sequence never follows a newer one',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(versioned(1), { seq: 5 });
    const gateway = await start();
    assert.equal(await which(gateway), 'version 1');
    await branch.publish(versioned(2), { seq: 4, parents: [] });
    const status = await held(gateway, 'rewind');
    assert.match(status.held?.detail ?? '', /sequence 4 is not above 5/);
    assert.equal(await which(gateway), 'version 1');
  },
);

test(
  'fault 82: quota counts survive a swap, an edited limit, and another zone that is declared',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    const limited = (n: number, limit: number, zone = 'UTC', was?: string) => {
      const window = (name: string) => ({ calendar: 'year' as const, zone: name });
      const former = was === undefined ? {} : { was: { window: window(was) } };
      return versioned(n, {
        parts: {
          quotas: { yearly: { unit: 'requests', limit, window: window(zone), ...former } },
          models: { which: { targets: { kind: 'target', provider: 'sandbox', model: 'small' }, quotas: ['yearly'] } },
        },
      });
    };
    await branch.publish(limited(1, 10));
    const gateway = await start();
    const asked = async () =>
      (await gateway.post('/v1/chat/completions', question())).headers.get('x-ratelimit-remaining-requests');
    assert.equal(await asked(), '9');
    assert.equal(await asked(), '8');
    await branch.publish(limited(2, 20));
    await until('swapped', async () => gateway.revision === sourceOf(2).slice(0, 12));
    assert.equal(await asked(), '17');

    const planned = (before: SnapshotInput, after: SnapshotInput) =>
      planBetween(snapshotSchema.parse(before), snapshotSchema.parse(after)).changes.map(({ sentence }) =>
        plainText(sentence),
      );
    const kept = limited(3, 20, 'Asia/Tokyo', 'UTC');
    assert.match(planned(limited(2, 20), kept).join('\n'), /quota 'yearly' goes on from what it has counted/);
    await branch.publish(kept);
    await until('swapped', async () => gateway.revision === sourceOf(3).slice(0, 12));
    assert.equal(await asked(), '16');
    const anew = limited(4, 20, 'Europe/Berlin');
    assert.match(planned(kept, anew).join('\n'), /quota 'yearly' begins a new count: .* up to 20 requests/);
    await branch.publish(anew);
    await until('swapped', async () => gateway.revision === sourceOf(4).slice(0, 12));
    assert.equal(await asked(), '19');
  },
);

test(
  'faults 70, 71, 73: a fix pushed during the trial or while held applies at once, and so do a revert and its revert',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    const vendor = await startScripted((received) => {
      if (received.path.startsWith('/good')) answerWell(received);
      else received.response.writeHead(401).end('{}');
    });
    context.after(() => vendor.close());
    const [good, bad] = [`${vendor.url}/good`, `${vendor.url}/bad`];
    await branch.publish(versioned(1, { vendorUrl: good }));
    const gateway = await start('--bake', '60s');
    await branch.publish(versioned(2, { vendorUrl: bad }));
    await serves(gateway, 2);
    // On trial still: the fix does not wait for the verdict.
    await branch.publish(versioned(3, { vendorUrl: good }));
    await serves(gateway, 3, 2_000);
    const spoil = async () => {
      for (let failed = 0; failed < 3; failed += 1) await gateway.post('/v1/chat/completions', question('vendor'));
      await held(gateway, 'bad-health');
    };
    await branch.publish(versioned(4, { vendorUrl: bad }));
    await serves(gateway, 4);
    await spoil();
    await serves(gateway, 1);
    // The same bytes once more are a new publication, and are judged anew.
    await branch.publish(versioned(4, { vendorUrl: bad }));
    await serves(gateway, 4, 2_000);
    await spoil();
    await branch.publish(versioned(5, { vendorUrl: good }));
    await serves(gateway, 5, 2_000);
  },
);

test('fault 77: a failure within the trial counts, whatever comes after it', options, async (context) => {
  const { branch, start } = await stage(context);
  let refusing = true;
  const vendor = await startScripted((received) => {
    if (refusing && received.path.startsWith('/new')) received.response.writeHead(401).end('{}');
    else answerWell(received);
  });
  context.after(() => vendor.close());
  await branch.publish(versioned(1, { vendorUrl: `${vendor.url}/old` }));
  const gateway = await start('--bake', '60s');
  await branch.publish(versioned(2, { vendorUrl: `${vendor.url}/new` }));
  await serves(gateway, 2);
  for (let failed = 0; failed < 3; failed += 1) await gateway.post('/v1/chat/completions', question('vendor'));
  refusing = false;
  await held(gateway, 'bad-health');
  assert.equal(await which(gateway), 'version 1');
});

test('fault 84: a key that a revision removes is refused from the next request on', options, async (context) => {
  const { branch, start } = await stage(context);
  const guest = (keys: string[]) => ({ parts: { consumers: { guest: { keys } } } });
  await branch.publish(versioned(1, guest([keyHash('guest-key-1')])));
  const gateway = await start();
  const asGuest = () =>
    gateway.post('/v1/chat/completions', question(), { headers: { authorization: 'Bearer guest-key-1' } });
  assert.equal((await asGuest()).status, 200);
  await branch.publish(versioned(2, guest([keyHash('guest-key-2')])));
  await serves(gateway, 2);
  assert.equal((await asGuest()).status, 401);
});

test(
  'faults 36, 37: a diverged history and an orphan are followed when their sequence is higher, and only then',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(versioned(1), { seq: 3 });
    const gateway = await start();
    await branch.publish(versioned(2), { seq: 2, parents: [] });
    await held(gateway, 'rewind');
    await branch.publish(versioned(3), { seq: 4, parents: [] });
    await serves(gateway, 3);
  },
);

test('fault 91: a storm of pokes is one poll, and one more', options, async (context) => {
  const { host, branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start('--poll', '1h');
  const before = host.requests.length;
  await Promise.all(Array.from({ length: 50 }, () => fetch(`${gateway.adminUrl}/poke`, { method: 'POST' })));
  assert.ok(host.requests.length - before <= 8, `${host.requests.length - before} requests for 50 pokes`);
});

test(
  'with something to serve the next poll is a whole interval away, also after a first start',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(versioned(1));
    const gateway = await start('--poll', '1h');
    const { nextPollAt } = await until('the next poll is planned', async () => {
      const { source } = await gateway.status();
      return source.nextPollAt !== undefined && source;
    });
    assert.ok(Date.parse(nextPollAt ?? '') - Date.now() > 40 * 60_000, `${nextPollAt}`);
  },
);

test('fault 39: of ten pushes between two polls only the newest is fetched and served', options, async (context) => {
  const { host, branch, start } = await stage(context);
  await branch.publish(versioned(1));
  const gateway = await start('--poll', '1h');
  for (let n = 2; n <= 11; n += 1) await branch.publish(versioned(n));
  const fetches = () =>
    host.requests.filter(({ method, gitProtocol }) => method === 'POST' && gitProtocol !== 'version=2').length;
  const before = fetches();
  await gateway.poke();
  await serves(gateway, 11);
  assert.equal(fetches() - before, 1);
  assert.equal((await gateway.status()).active?.generation, 2);
});

test(
  'fault 78: a revision that takes most of what is served away is held, until it says why or an operator accepts it',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    const target = { kind: 'target' as const, provider: 'sandbox', model: 'small' };
    const many = (names: readonly string[]) => ({
      parts: { models: Object.fromEntries(names.map((name) => [name, { targets: target }])) },
    });
    await branch.publish(versioned(1, many(['a', 'b', 'c', 'd'])));
    const gateway = await start();
    const lost = await branch.publish(versioned(2));
    const status = await held(gateway, 'shrink');
    assert.match(status.held?.detail ?? '', /4 of 5 models are gone; if that is meant, say why/);
    assert.equal(await which(gateway), 'version 1');
    const accepted = await fetch(`${gateway.adminUrl}/accept`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ commit: lost }),
    });
    assert.equal(accepted.status, 202);
    await serves(gateway, 2);

    await branch.publish(versioned(3, many(['a', 'b', 'c', 'd'])));
    await serves(gateway, 3);
    await branch.publish(versioned(4, { parts: { allowShrink: 'the old models are retired' } }));
    await serves(gateway, 4);
  },
);

test(
  'fault 52: a snapshot with a key twice, a reserved key, a byte order mark or a NUL is refused, whatever its digest says',
  options,
  async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(versioned(1));
    const gateway = await start();
    const text = (n: number) => artifactFiles(versioned(n)).get('snapshot.json')?.toString() ?? '';
    const hostile: [string, RegExp][] = [
      [text(2).replace('"name":"test"', '"name":"test","name":"test"'), /twice/],
      [text(2).replace('"sources":{', '"sources":{"__proto__":"x",'), /__proto__/],
      [`\uFEFF${text(2)}`, /byte order mark/],
      [text(2).replace('version 2', 'version \\u0000 2'), /NUL/],
      [text(2).replace('"sources":{', `"sources":{"a":${'['.repeat(200)}${']'.repeat(200)},`), /deep|level/],
    ];
    for (const [snapshot, detail] of hostile) {
      const commit = await branch.publish(versioned(2), { snapshot: Buffer.from(snapshot) });
      const status = await until(`${detail} is refused`, async () => {
        const now = await gateway.status();
        return now.held?.commit === commit && now;
      });
      assert.equal(status.held?.reason, 'schema');
      assert.match(status.held?.detail ?? '', detail);
    }
    assert.equal(await which(gateway), 'version 1');
  },
);
