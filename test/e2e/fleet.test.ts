import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith, type TestGateway } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { answerWell, startScripted } from '../support/scripted-upstream.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const short = (n: number): string => sourceOf(n).slice(0, 12);

test('fault 86: three replicas converge on each publication within the poll interval', async (context) => {
  await using directory = await temporaryDirectory();
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  const branch = artifactBranch(repository);
  await branch.publish(versioned(1));
  const replicas = await Promise.all([1, 2, 3].map(() => startWith(['--repo', repository, '--poll', '300ms'])));
  context.after(() => Promise.all(replicas.map((replica) => replica.close())));
  for (let n = 2; n <= 5; n += 1) {
    await branch.publish(versioned(n));
    // The interval, and some for fetching and building on a busy machine.
    await until(`all serve ${n}`, async () => replicas.every(({ revision }) => revision === short(n)), 3_000);
  }
  const ids = await Promise.all(replicas.map(async (replica) => (await replica.status()).replicaId));
  assert.equal(new Set(ids).size, 3);
});

test('fault 90: a replica that was away while much was published catches up with the newest alone', async (context) => {
  await using directory = await temporaryDirectory();
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  const branch = artifactBranch(repository);
  await branch.publish(versioned(1));
  const flags = ['--repo', repository, '--poll', '100ms', '--bake', '0s', '--state-dir', join(directory.path, 'state')];
  const before = await startWith(flags);
  await until('1 proved itself', async () => (await before.status()).state === 'STEADY');
  await before.close();
  for (let n = 2; n <= 12; n += 1) await branch.publish(versioned(n));
  const after = await startWith(flags);
  context.after(() => after.close());
  await until('12 is served', async () => after.revision === short(12));
  // The kept one, and the newest: none of those in between was ever built.
  assert.equal((await after.status()).active?.generation, 2);
});

describe('with Redis between them', { skip: skipWithout(tools.redisServer) }, () => {
  /** Replicas on one repository and one Redis; `vendor` answers 401 below `/bad`. */
  async function stage(context: TestContext) {
    const directory = await temporaryDirectory();
    const repository = join(directory.path, 'repository.git');
    await initRepository(repository, { bare: true });
    const redis = await startRedis();
    const vendor = await startScripted((received) => {
      if (received.path.startsWith('/good')) answerWell(received);
      else received.response.writeHead(401).end('{}');
    });
    context.after(async () => {
      await vendor.close();
      await redis.stop();
      await directory.remove();
    });
    const start = async (...flags: string[]) => {
      const replica = await startWith(['--repo', repository, '--bake', '60s', '--store', redis.url, ...flags]);
      context.after(() => replica.close());
      return replica;
    };
    return { branch: artifactBranch(repository), redis, start, good: `${vendor.url}/good`, bad: `${vendor.url}/bad` };
  }

  const spoil = async (replica: TestGateway) => {
    for (let failed = 0; failed < 3; failed += 1) await replica.post('/v1/chat/completions', question('vendor'));
    return until('it is taken back', async () => {
      const status = await replica.status();
      return status.held?.reason === 'bad-health' && status;
    });
  };

  test('fault 88: what one replica finds bad the others never serve, however they come to see it', async (context) => {
    const { branch, start, good, bad } = await stage(context);
    await branch.publish(versioned(1, { vendorUrl: good }));
    const replicas: TestGateway[] = [];
    for (let count = 0; count < 3; count += 1) replicas.push(await start('--poll', '100ms', '--bake-samples', '5'));
    const trying = (n: number) => replicas.filter(({ revision }) => revision === short(n));
    const commit = await branch.publish(versioned(2, { vendorUrl: bad }));
    await Promise.all(replicas.map((replica) => replica.poke()));
    const [first] = await until('one tries it', async () => trying(2).length > 0 && trying(2));
    assert.ok(first);
    const others = replicas.filter((replica) => replica !== first);
    for (const other of others) assert.equal((await other.status()).waiting?.commit, commit);
    const { held } = await spoil(first);
    assert.match(held?.detail ?? '', /vendor\/m refused our credential/);
    for (const other of others) {
      const status = await until('it is held', async () => {
        const now = await other.status();
        return now.held?.commit === commit && now;
      });
      assert.equal(status.held?.detail, held?.detail);
      assert.equal(status.active?.generation, 1, 'it never built it');
    }
    await branch.publish(versioned(3, { vendorUrl: good }));
    const [next] = await until('one tries the fix', async () => trying(3).length > 0 && trying(3));
    assert.equal(trying(3).length, 1);
    for (let asked = 0; asked < 5; asked += 1) await next?.post('/v1/chat/completions', question('vendor'));
    await until('all follow the fix', async () => trying(3).length === 3);
  });

  test('a revision that nobody asks anything is followed by all when its trial has lasted its time', async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(versioned(1));
    const replicas = [await start('--poll', '100ms', '--bake', '2s'), await start('--poll', '100ms', '--bake', '2s')];
    await branch.publish(versioned(2));
    await until('both serve it', async () => replicas.every(({ revision }) => revision === short(2)), 8_000);
  });

  test('when the replica that tries a revision first is gone, another does', async (context) => {
    const { branch, start } = await stage(context);
    await branch.publish(versioned(1));
    const [one, two] = [await start('--poll', '100ms'), await start('--poll', '100ms')];
    await branch.publish(versioned(2));
    const leads = await until('one tries it', async () => [one, two].find(({ revision }) => revision === short(2)));
    const other = leads === one ? two : one;
    assert.equal(other.revision, short(1));
    await leads.close();
    await until('the other tries it', async () => other.revision === short(2), 10_000);
  });

  test('fault 88: a verdict that Redis was away for, or has forgotten, is told again', async (context) => {
    const { branch, redis, start, good, bad } = await stage(context);
    await branch.publish(versioned(1, { vendorUrl: good }));
    const first = await start('--poll', '100ms');
    await redis.kill();
    const commit = await branch.publish(versioned(2, { vendorUrl: bad }));
    await until('it is tried', async () => first.revision === short(2));
    await spoil(first);
    assert.equal((await first.status()).verdictStore, 'unreachable');
    await redis.start();
    await until('the store answers', async () => {
      await first.poke();
      return (await first.status()).verdictStore === 'reachable';
    });
    const fresh = await start('--poll', '100ms');
    assert.equal(fresh.revision, short(1), 'what stood before the tip serves');
    assert.equal((await fresh.status()).held?.commit, commit);
  });

  test('fault 89: a new replica does not start on a tip that another found bad', async (context) => {
    const { branch, start, good, bad } = await stage(context);
    await branch.publish(versioned(1, { vendorUrl: good }));
    const first = await start('--poll', '100ms', '--bake-samples', '5');
    const commit = await branch.publish(versioned(2, { vendorUrl: bad }));
    await until('it is tried', async () => first.revision === short(2));
    await spoil(first);
    const fresh = await start('--poll', '100ms', '--bake-samples', '5');
    assert.equal(fresh.revision, short(1), 'what stood before the tip serves');
    const { held, active } = await fresh.status();
    assert.equal(held?.commit, commit);
    assert.equal(active?.generation, 1, 'the tip was never built');
    assert.equal((await fetch(`${fresh.adminUrl}/readyz`)).status, 200);
    await branch.publish(versioned(3, { vendorUrl: good }));
    const tries = await until('one tries the fix', async () =>
      [first, fresh].find(({ revision }) => revision === short(3)),
    );
    for (let asked = 0; asked < 5; asked += 1) await tries.post('/v1/chat/completions', question('vendor'));
    await until('it is on the fix', async () => fresh.revision === short(3));
  });

  test('fault 88: with Redis away each replica decides alone, and traffic does not wait for it', async (context) => {
    const { branch, redis, start, good, bad } = await stage(context);
    await branch.publish(versioned(1, { vendorUrl: good }));
    const first = await start('--poll', '100ms');
    const second = await start('--poll', '100ms');
    await redis.stop();
    await branch.publish(versioned(2, { vendorUrl: bad }));
    await until('both try it', async () => [first, second].every(({ revision }) => revision === short(2)));
    await spoil(first);
    assert.equal(first.revision, short(1));
    assert.equal(second.revision, short(2));
    await spoil(second);
  });
});
