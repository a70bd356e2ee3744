/** Several processes that answer as one: they swap together, count together, and one that dies takes nobody with it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { testKey } from '../support/gateway.ts';
import { answerWell } from '../support/scripted-upstream.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { held, serves, trialStage, which } from '../support/trial-stage.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const options = { skip: skipWithout(tools.gitHttpBackend), timeout: 90_000 };

/** Processes that the gateway of this test has started. */
const children = (): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('workers/worker'))
    .map((line) => Number.parseInt(line, 10));

/** Each on a connection of its own, so that every worker has some. */
const many = async <Answer>(count: number, ask: () => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, ask));

/** What replicas may take ahead, workers do not. */
const few = { unit: 'requests', limit: 40, window: '24h', slack: 0.2 } as const;

const alone = { headers: { connection: 'close' } };

const target = { kind: 'target', provider: 'sandbox', model: 'small' } as const;

const small = { contextWindow: 8_192, options: { reply: 'version 6' } };
const counted = {
  quotas: {
    few,
    'at-once': { unit: 'concurrency', limit: 2 },
    spoken: { unit: 'tokens', limit: 1_000_000, window: '24h' },
  },
  providers: {
    sandbox: {
      kind: 'sandbox',
      options: {},
      models: {
        small,
        slow: { contextWindow: 8_192, options: { reply: 'on and '.repeat(200), chunkInterval: '200ms' } },
      },
    },
  },
  models: {
    counted: { targets: target, quotas: ['few'] },
    brief: { targets: target, quotas: ['at-once', 'spoken'] },
    slow: { targets: { ...target, model: 'slow' }, quotas: ['at-once', 'spoken'] },
  },
} satisfies Partial<SnapshotInput>;
const long = { stream: true, max_tokens: 5_000 };

/** On a connection that is new: those come to the workers in turns. */
async function slowStream(url: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' };
  const sent = request(`${url}/v1/chat/completions`, { method: 'POST', agent: false, headers });
  sent.end(JSON.stringify(question('slow', long)));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response.on('error', () => undefined);
}

test('two workers', options, async (context) => {
  const stage = await trialStage(context);
  await stage.branch.publish(versioned(1));
  const gateway = await stage.start('--workers', '2', '--bake', '0s');
  await serves(gateway, 1);

  await context.test(
    'swap together: after the first answer of a new revision there is none of the one before',
    async () => {
      assert.equal(children().length, 2);
      let next = 2;
      for (; next < 6; next += 1) {
        await stage.branch.publish(versioned(next, { chunkInterval: '100ms' }));
        await until(`version ${next}`, async () => (await which(gateway)) === `version ${next}`, 30_000);
        const said = await many(20, async () => which(gateway));
        assert.deepEqual([...new Set(said)], [`version ${next}`]);
      }
      const { generationsLive, active } = await gateway.status();
      assert.equal(active?.revision, gateway.revision);
      assert.ok(generationsLive <= 2);
    },
  );

  await context.test('are one to whoever looks at metrics and past requests', async () => {
    const response = await gateway.post('/v1/chat/completions', question(), alone);
    await response.text();
    const id = response.headers.get('x-request-id') ?? '';
    const found = await fetch(`${gateway.adminUrl}/api/requests/${id}`);
    assert.equal(((await found.json()) as { id: string }).id, id);
    const total = async () =>
      Number(
        /^headgate_requests_total\{matched="model:which".*status="200"\} (\d+)/m.exec(await gateway.metrics())?.[1],
      );
    const earlier = await total();
    await many(20, async () => (await gateway.post('/v1/chat/completions', question(), alone)).text());
    assert.equal(await total(), earlier + 20);
    assert.match(await gateway.metrics(), /^headgate_workers 2$/m);
  });

  await context.test(
    'one that is killed is replaced by one that serves the same, and the other loses nothing',
    async () => {
      const streams = await many(6, async () =>
        gateway.post('/v1/chat/completions', question('which', { stream: true }), alone),
      );
      const [victim] = children();
      assert.ok(victim);
      process.kill(victim, 'SIGKILL');
      const ends = await Promise.allSettled(streams.map((response) => response.text()));
      assert.ok(ends.some(({ status }) => status === 'fulfilled'));
      await until('two workers again', async () => /^headgate_workers 2$/m.test(await gateway.metrics()), 30_000);
      assert.ok(!children().includes(victim));
      assert.deepEqual([...new Set(await many(20, () => which(gateway)))], ['version 5']);
      assert.match(await gateway.metrics(), /^headgate_worker_deaths_total 1$/m);
    },
  );

  await context.test('count together, to the last unit, and over the death of one', async () => {
    await stage.branch.publish(versioned(6, { parts: counted }));
    await serves(gateway, 6);
    const ask = async (model: string) => gateway.post('/v1/chat/completions', question(model), alone);
    const statusOf = async () => (await ask('counted')).status;
    const first = await many(30, statusOf);
    // One after the other, so that each worker has one.
    const streams = [await slowStream(gateway.dataUrl), await slowStream(gateway.dataUrl)];
    const ends = streams.map((stream) => once(stream.resume(), 'end').catch(() => 'cut'));
    assert.equal((await ask('brief')).status, 429);
    process.kill(children()[0] ?? 0, 'SIGKILL');
    assert.equal(await Promise.race(ends), 'cut');
    await until('its place is free', async () => (await ask('brief')).status === 200, 1_000);
    await until('two workers again', async () => /^headgate_workers 2$/m.test(await gateway.metrics()), 30_000);
    const second = await many(30, statusOf);
    assert.equal(first.filter((status) => status === 200).length, 30);
    assert.equal(second.filter((status) => status === 200).length, 10);
    assert.equal(second.filter((status) => status === 429).length, 20);
    for (const stream of streams) stream.destroy();
  });

  await context.test('count in doubt what one that was killed held, and nobody else pays', async () => {
    const metrics = await gateway.metrics();
    const inDoubt = Number(/^headgate_quota_in_doubt_total\{quota="spoken",unit="tokens"\} (\d+)/m.exec(metrics)?.[1]);
    assert.ok(inDoubt > long.max_tokens && inDoubt < 2 * long.max_tokens, `${inDoubt} tokens`);
    assert.match(metrics, /^headgate_worker_calls_lost_total 1$/m);
    await until('the one that left to be settled', async () => {
      const response = await gateway.post('/v1/chat/completions', question('brief', { max_tokens: 1 }), alone);
      const [, places, tokens] =
        /"at-once";r=(\d+).*"spoken";r=(\d+)/.exec(response.headers.get('ratelimit') ?? '') ?? [];
      const used = counted.quotas.spoken.limit - Number(tokens);
      assert.ok(used >= inDoubt, `${used} of ${inDoubt} tokens`);
      return places === '1' && used < inDoubt + 1_000;
    });
  });

  await context.test('end with the process that leads them, after the requests in flight', async () => {
    const stream = await gateway.post('/v1/chat/completions', question('which', { stream: true }), alone);
    const [text] = await Promise.all([stream.text(), gateway.drain({ atOnce: true })]);
    assert.match(text, /\[DONE\]/);
    assert.deepEqual(children(), []);
  });
});

test('what fails under a new revision at any worker counts against it, and all go back', options, async (context) => {
  const { branch, start, upstream } = await trialStage(context);
  const vendor = await upstream((received) => {
    if (received.path.startsWith('/good')) answerWell(received);
    else received.response.writeHead(401).end('{}');
  });
  await branch.publish(versioned(1, { vendorUrl: `${vendor.url}/good` }));
  const gateway = await start('--workers', '2', '--bake', '60s');
  await serves(gateway, 1);
  await branch.publish(versioned(2, { vendorUrl: `${vendor.url}/bad` }));
  await serves(gateway, 2);
  // Fewer than the rule asks for at each of them, and enough at both.
  const refused = await many(
    4,
    async () => (await gateway.post('/v1/chat/completions', question('vendor'), alone)).status,
  );
  assert.deepEqual([...new Set(refused)], [502]);
  const { held: why } = await held(gateway, 'bad-health');
  assert.match(why?.detail ?? '', /vendor\/m refused our credential/);
  assert.deepEqual([...new Set(await many(20, () => which(gateway)))], ['version 1']);
});
