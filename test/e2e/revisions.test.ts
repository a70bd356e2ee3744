import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { join } from 'node:path';
import { artifactBranch, sourceOf, type ArtifactBranch } from '../support/artifact-branch.ts';
import { startWith, type TestGateway } from '../support/gateway.ts';
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

test('without a revision the gateway says 503 and becomes ready when one is published', options, async (context) => {
  const { branch, start } = await stage(context);
  const gateway = await start();
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 503);
  const refused = await gateway.post('/v1/chat/completions', question());
  assert.equal(refused.status, 503);
  assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'not_ready');
  await branch.publish(versioned(1));
  await serves(gateway, 1);
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);
});

test(
  'a revision that cannot be served is refused with its reason, and the old one goes on',
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
  'a revision that turns unhealthy is taken back at once and not tried again until the branch moves',
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
    for (let polled = 0; polled < 20; polled += 1) await gateway.poke();
    const fetches = host.requests.filter(
      ({ gitProtocol, method }) => method === 'POST' && gitProtocol !== 'version=2',
    ).length;
    assert.equal(await which(gateway), 'version 1');
    assert.ok(before > 0 && fetches <= 2, `${fetches} fetches for two revisions`);

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

test("a vendor's outage during the trial is not held against the revision", options, async (context) => {
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
  'a credential that fails on an unchanged provider is no evidence against the revision',
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
  'a stream that runs through a swap and a rollback ends on the generation it began on',
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

test('a branch that was rewound is refused: an older sequence never follows a newer one', options, async (context) => {
  const { branch, start } = await stage(context);
  await branch.publish(versioned(1), { seq: 5 });
  const gateway = await start();
  assert.equal(await which(gateway), 'version 1');
  await branch.publish(versioned(2), { seq: 4, parents: [] });
  const status = await held(gateway, 'rewind');
  assert.match(status.held?.detail ?? '', /sequence 4 is not above 5/);
  assert.equal(await which(gateway), 'version 1');
});

test('quota counts survive a swap, and an edited limit keeps them', options, async (context) => {
  const { branch, start } = await stage(context);
  const limited = (n: number, limit: number) =>
    versioned(n, {
      parts: {
        quotas: { hourly: { unit: 'requests', limit, window: '31d' } },
        models: { which: { targets: { kind: 'target', provider: 'sandbox', model: 'small' }, quotas: ['hourly'] } },
      },
    });
  await branch.publish(limited(1, 10));
  const gateway = await start();
  const asked = async () =>
    (await gateway.post('/v1/chat/completions', question())).headers.get('x-ratelimit-remaining-requests');
  assert.equal(await asked(), '9');
  assert.equal(await asked(), '8');
  await branch.publish(limited(2, 20));
  await until('swapped', async () => gateway.revision === sourceOf(2).slice(0, 12));
  assert.equal(await asked(), '17');
});
