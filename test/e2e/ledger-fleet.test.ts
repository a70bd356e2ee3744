/** The ledger of a fleet: all replicas write into one Redis stream, and each call arrives once where it is taken over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UsageReport } from '../../runtime/serve.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { skipWithoutRedis, startRedis } from '../support/redis.ts';
import { temporaryDirectory } from '../support/repository.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const readUsage = async (gateway: TestGateway) =>
  (await (await fetch(`${gateway.adminUrl}/api/usage?by=model`)).json()) as UsageReport;

const callsIn = (gateway: TestGateway, calls: number) =>
  until(
    `${calls} calls in the ledger`,
    async () => {
      const found = (await readUsage(gateway)).total?.calls ?? 0;
      assert.ok(found <= calls, `${found} calls, and only ${calls} were made`);
      return found === calls;
    },
    10_000,
  );

const ask = async (gateway: TestGateway, times: number) => {
  const answers = await Promise.all(
    Array.from({ length: times }, () => gateway.post('/v1/chat/completions', question())),
  );
  assert.ok(answers.every(({ status }) => status === 200));
};

test(
  'each call of each replica arrives once, through an outage of Redis and a stop of who takes them over',
  { skip: skipWithoutRedis() },
  async (context) => {
    const redis = await startRedis();
    await using directory = await temporaryDirectory();
    const shared = ['--store', redis.url];
    const keeping = ['--ledger', directory.path];
    const writer = await startGateway(versioned(1), shared);
    const first = await startGateway(versioned(1), [...shared, ...keeping]);
    const started = [writer, first];
    context.after(async () => {
      await Promise.all(started.map((gateway) => gateway.close()));
      await redis.stop();
    });
    await ask(writer, 20);
    await ask(first, 10);
    await callsIn(first, 30);
    const refused = await fetch(`${writer.adminUrl}/api/usage`);
    assert.equal(refused.status, 404);
    assert.match(((await refused.json()) as { detail: string }).detail, /replicas that were started with --ledger DIR/);

    redis.freeze();
    await ask(writer, 20);
    assert.match(await until('it says why', async () => (await writer.status()).ledger.problem), /redis/);
    redis.continue();
    await callsIn(first, 50);
    assert.equal((await writer.status()).ledger.dropped, 0);

    await first.close();
    await ask(writer, 20);
    const second = await startGateway(versioned(1), [...shared, ...keeping]);
    started.push(second);
    await callsIn(second, 70);
    await ask(writer, 5);
    await writer.close();
    await callsIn(second, 75);
  },
);
