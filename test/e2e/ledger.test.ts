/** The ledger of a running gateway: each call once, what it cost to the last digit, and traffic that never notices. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import type { CallsReport, ComparisonReport, UsageReport } from '../../runtime/serve.ts';
import { failingDisk } from '../support/failing-disk.ts';
import { startProcess } from '../support/gateway-process.ts';
import { keyHash, snapshotOf, startGateway, testKey, type TestGateway } from '../support/gateway.ts';
import { temporaryDirectory } from '../support/repository.ts';
import { answerJson, answerWell, startScripted, type ScriptedUpstream } from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';

/** So small that what a call costs is no whole number of billionths. */
const prices = { input: '0.0375', output: '1.2345' };
const costOfOne = 3n * 37_500_000_000n + 2n * 1_234_500_000_000n;

const priced = (url: string) => ({
  kind: 'openai',
  options: { baseUrl: `${url}/v1` },
  models: { m: { contextWindow: 8_192, prices } },
});
const at = (provider: string) => ({ kind: 'target' as const, provider, model: 'm' });

const units = (usd: string) => {
  const [whole = '0', fraction = ''] = usd.split('.');
  return BigInt(whole + fraction.padEnd(18, '0'));
};

const ask = (gateway: TestGateway, model = 'chat', init: RequestInit = {}) =>
  gateway.post(
    '/v1/chat/completions',
    { model, messages: [{ role: 'user', content: 'tell nobody: hush-hush' }] },
    init,
  );

const readUsage = async (gateway: { adminUrl: string }, query = '') =>
  (await (await fetch(`${gateway.adminUrl}/api/usage?${query}`)).json()) as UsageReport;

/** What is written a moment after the answer. */
const usageOf = (gateway: { adminUrl: string }, calls: number, query = '') =>
  until(`${calls} calls in the ledger`, async () => {
    const report = await readUsage(gateway, query);
    return (report.total?.calls ?? 0) >= calls && report;
  });

describe('the ledger beside the counts', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let upstream: ScriptedUpstream;
  let failing: ScriptedUpstream;
  let gateway: TestGateway;

  before(async () => {
    directory = await temporaryDirectory();
    upstream = await startScripted((received) => {
      if (received.path.startsWith('/plain')) answerJson(received.response, 200, {});
      else answerWell(received);
    });
    failing = await startScripted(({ response }) =>
      answerJson(response, 200, { choices: 'none', usage: { prompt_tokens: 9, completion_tokens: 1 } }),
    );
    const ordered = { kind: 'group' as const, balance: 'ordered', of: [{ node: at('leg1') }, { node: at('leg2') }] };
    const snapshot = snapshotOf({
      providers: { leg1: priced(failing.url), leg2: priced(upstream.url) },
      models: { fallback: { targets: ordered }, chat: { targets: at('leg2') } },
      upstreams: { back: { url: upstream.url } },
      routes: { plain: { path: '/plain/*', methods: ['GET'], upstream: 'back' } },
    });
    gateway = await startGateway(snapshot, ['--store', directory.path]);
  });
  after(async () => {
    await gateway.close();
    await Promise.all([upstream.close(), failing.close()]);
    await directory.remove();
  });

  test('holds each call with what it cost to the last digit, by any dimension', async () => {
    const answers = await Promise.all(Array.from({ length: 7 }, () => ask(gateway)));
    assert.ok(answers.every(({ status }) => status === 200));
    assert.equal((await ask(gateway, 'no-such-model')).status, 404);
    assert.equal((await gateway.ask('/plain/x')).status, 200);
    const { rows, total, by } = await usageOf(gateway, 9, 'by=model,consumer,ended');
    assert.deepEqual(by, ['model', 'consumer', 'ended']);
    const chat = rows.find(({ group }) => group.model === 'chat');
    assert.ok(chat && total);
    assert.deepEqual(chat.group, { model: 'chat', consumer: 'tester', ended: 'served' });
    assert.deepEqual([chat.calls, chat.inputTokens, chat.outputTokens, chat.attempts], [7, 21, 14, 7]);
    assert.equal(units(chat.costUsd), 7n * costOfOne);
    assert.ok(chat.p50Ms !== undefined && chat.p95Ms !== undefined && chat.p50Ms <= chat.p95Ms);
    assert.deepEqual([total.calls, total.refused, total.failed], [9, 1, 0]);
    const refused = await readUsage(gateway, 'by=code,status&where=ended=refused');
    assert.deepEqual(
      refused.rows.map(({ group }) => group),
      [{ code: 'model_not_found', status: '404' }],
    );
    const keyed = await readUsage(gateway, `by=key&where=key=${keyHash(testKey)}`);
    assert.deepEqual(
      keyed.rows.map(({ group, calls }) => [group.key, calls]),
      [[keyHash(testKey).slice('sha256:'.length, 19), 9]],
    );
    const routes = await readUsage(gateway, 'by=route,target&where=route=plain');
    assert.deepEqual(
      routes.rows.map(({ group, calls }) => [group.route, group.target, calls]),
      [['plain', 'back', 1]],
    );
  });

  test('books what was spent in vain at the target that spent it, and the call once', async () => {
    const before = (await readUsage(gateway)).total?.calls ?? 0;
    const answer = await ask(gateway, 'fallback');
    assert.equal(answer.status, 200);
    await usageOf(gateway, before + 1);
    const { rows, total } = await readUsage(gateway, 'by=target,ended&where=model=fallback');
    assert.equal(total?.calls, 1);
    const vain = rows.find(({ group }) => group.target === 'leg1/m');
    const served = rows.find(({ group }) => group.target === 'leg2/m');
    assert.deepEqual([vain?.group.ended, vain?.calls, served?.calls], ['in_vain', 0, 1]);
    assert.equal(units(served?.costUsd ?? '0'), costOfOne);
    assert.ok(units(vain?.costUsd ?? '0') > 0n);
    assert.equal(units(total?.costUsd ?? '0'), units(vain?.costUsd ?? '0') + units(served?.costUsd ?? '0'));
  });

  test('is told as CSV, and refuses what makes no sense with the cure', async () => {
    const response = await fetch(`${gateway.adminUrl}/api/usage?by=model&format=csv&where=model=chat`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/csv/);
    const [head, line] = (await response.text()).split('\r\n');
    assert.match(head ?? '', /^model,calls,refused,/);
    assert.match(line ?? '', /^chat,7,0,/);
    for (const [query, said] of [
      ['by=colour', /"colour" is nothing to ask by; there are revision, model/],
      ['from=yesterday', /"from" must be a moment/],
      ['since=1y', /"since" must be a duration/],
      ['colour=red', /"colour" is no parameter/],
      ['where=model', /written name=value/],
      ['limit=0', /"limit" must be/],
      ['zone=Mars/Base', /"zone" must be a name of the time zone database, .*"Mars\/Base" is none/],
      ['from=2026-02-30', /"from" must be a moment/],
    ] as const) {
      const refused = await fetch(`${gateway.adminUrl}/api/usage?${query}`);
      assert.equal(refused.status, 400, query);
      assert.match(((await refused.json()) as { detail: string }).detail, said);
    }
  });

  test('compares what two revisions did, and knows no other', async () => {
    const revision = gateway.revision ?? '';
    const compare = (query: string) => fetch(`${gateway.adminUrl}/api/usage/compare?${query}`);
    const report = (await (
      await compare(`revision=${revision.slice(0, 8)}&with=${revision}&by=model`)
    ).json()) as ComparisonReport;
    assert.equal(report.revision.revision, revision);
    assert.deepEqual(report.revision.total, report.with.total);
    assert.equal(report.groups.find(({ group }) => group.model === 'chat')?.with?.calls, 7);
    const unknown = await compare(`revision=abcdef0&with=${revision}`);
    assert.equal(unknown.status, 400);
    assert.match(((await unknown.json()) as { detail: string }).detail, /no call in the ledger .* abcdef0/);
  });

  test('tells single calls, by page, as CSV, and a request with what was spent in vain for it', async () => {
    const read = (query: string) => fetch(`${gateway.adminUrl}/api/usage/calls?${query}`);
    const asked = 'where=model=chat&where=ended=served&zone=Asia/Kolkata';
    const first = (await (await read(`${asked}&limit=4`)).json()) as CallsReport;
    assert.ok(first.next !== undefined && first.zone === 'Asia/Kolkata');
    assert.match(first.calls[0]?.at ?? '', /\+05:30$/);
    const second = (await (await read(`${asked}&limit=4&after=${first.next}`)).json()) as CallsReport;
    assert.deepEqual([first.calls.length, second.calls.length, second.next], [4, 3, undefined]);
    assert.equal(second.from, first.from);
    const all = [...first.calls, ...second.calls];
    assert.equal(new Set(all.map(({ request }) => request)).size, 7);
    assert.ok(all.every((call) => units(call.costUsd) === costOfOne && call.consumer === 'tester'));
    const csv = await read(`${asked}&limit=4&format=csv`);
    const placeOf = (cursor: string | null) => cursor?.split('.').slice(1);
    assert.deepEqual(placeOf(csv.headers.get('headgate-next')), placeOf(first.next));
    assert.equal((await csv.text()).split('\r\n').length, 6);
    const answer = await ask(gateway, 'fallback');
    const id = answer.headers.get('x-request-id') ?? '';
    const found = await until('it is written', async () => {
      const { calls } = (await (await read(`request=${id}`)).json()) as CallsReport;
      return calls.length > 0 && calls;
    });
    assert.deepEqual(found.map(({ target, ended }) => `${target} ${ended}`).toSorted(), [
      'leg1/m in_vain',
      'leg2/m served',
    ]);
    for (const [query, said] of [
      ['where=day=2026-01-01', /"where" takes no day of single calls/],
      ['after=x', /"after" must be what the page before gave/],
      ['limit=5000', /"limit" must be a whole number from 1 to 1000/],
      ['by=model', /"by" is no parameter/],
    ] as const) {
      const refused = await read(query);
      assert.equal(refused.status, 400, query);
      assert.match(((await refused.json()) as { detail: string }).detail, said);
    }
  });

  test('holds neither content nor keys', async () => {
    for (const name of ['ledger.sqlite', 'ledger.sqlite-wal']) {
      const bytes = await readFile(join(directory.path, name), 'latin1');
      assert.ok(!bytes.includes('hush-hush') && !bytes.includes(testKey), name);
    }
    const { ledger } = await gateway.status();
    assert.deepEqual([ledger.where, ledger.dropped, ledger.problem], [directory.path, 0, undefined]);
  });
});

test('without a directory there is no ledger, and the admin plane says how to get one', async (context) => {
  const gateway = await startGateway(snapshotOf({}));
  context.after(() => gateway.close());
  const response = await fetch(`${gateway.adminUrl}/api/usage`);
  assert.equal(response.status, 404);
  assert.match(((await response.json()) as { detail: string }).detail, /--ledger DIR/);
});

const sandbox = snapshotOf({
  providers: {
    sandbox: { kind: 'sandbox', options: {}, models: { small: { contextWindow: 8_192, options: { reply: 'hello' } } } },
  },
  models: { chat: { targets: { kind: 'target', provider: 'sandbox', model: 'small' } } },
});

function countIn(directory: string): number {
  const file = join(directory, 'ledger.sqlite');
  if (!existsSync(file)) return 0;
  const database = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
  try {
    return Number(database.prepare('SELECT count(*) AS calls FROM call').get()?.['calls']);
  } catch (error) {
    // Made, and without tables yet.
    if (/no such table/.test(String(error))) return 0;
    throw error;
  } finally {
    database.close();
  }
}

const postTo = (dataUrl: string) =>
  fetch(`${dataUrl}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'hello' }] }),
  });

test('a graceful stop loses no call, and SIGKILL at most what came in last', async (context) => {
  await using directory = await temporaryDirectory();
  const flags = ['--store', directory.path, '--log-level', 'error', '--drain', '0s'];
  const many = (dataUrl: string) => Promise.all(Array.from({ length: 60 }, async () => (await postTo(dataUrl)).text()));
  const graceful = await startProcess(sandbox, {}, flags);
  context.after(() => graceful.kill());
  await many(graceful.dataUrl);
  // Written by now: so that the next ones are what is still in memory when the signal comes.
  await until('the first are written', async () => countIn(directory.path) === 60);
  await (await postTo(graceful.dataUrl)).text();
  graceful.signal('SIGTERM');
  assert.equal(await graceful.ended, 0);
  assert.equal(countIn(directory.path), 61);

  const killed = await startProcess(sandbox, {}, flags);
  context.after(() => killed.kill());
  await many(killed.dataUrl);
  await until('what is older is written', async () => countIn(directory.path) === 121);
  await many(killed.dataUrl);
  await killed.kill();
  const found = countIn(directory.path);
  assert.ok(found >= 121 && found <= 181, `${found}`);
  // What stands there is whole: calls and what was added up tell the same.
  const database = new DatabaseSync(join(directory.path, 'ledger.sqlite'));
  const sums = ['hour', 'day', 'latency_hour', 'latency_day'].map((table) =>
    Number(database.prepare(`SELECT sum(calls) AS calls FROM ${table}`).get()?.['calls']),
  );
  database.close();
  assert.deepEqual(sums, [found, found, found, found]);
});

test('a full disk costs no request anything: calls wait, and are written when there is room', async (context) => {
  const disk = await failingDisk(context, 400);
  const gateway = await startGateway(sandbox, ['--ledger', disk.path]);
  context.after(() => gateway.close());
  await ask(gateway);
  await usageOf(gateway, 1);
  await disk.fill();
  for (let sent = 0; sent < 200; sent += 1) assert.equal((await ask(gateway)).status, 200);
  await until('it says why', async () => (await gateway.status()).ledger.problem);
  assert.ok((await gateway.status()).ledger.waiting > 0);
  await disk.free();
  await usageOf(gateway, 201);
  const { ledger } = await gateway.status();
  assert.deepEqual([ledger.waiting, ledger.dropped, ledger.problem], [0, 0, undefined]);
});

test('a directory that cannot be had, a locked file and a damaged one leave traffic alone', async (context) => {
  await using directory = await temporaryDirectory();
  const [asFile, damaged, locked] = ['file', 'damaged', 'locked'].map((name) => join(directory.path, name));
  assert.ok(asFile && damaged && locked);
  await writeFile(asFile, '');
  await mkdir(damaged);
  await writeFile(join(damaged, 'ledger.sqlite'), 'this is no database at all, and never was one'.repeat(100));
  await mkdir(locked);
  const holder = new DatabaseSync(join(locked, 'ledger.sqlite'));
  holder.exec('BEGIN EXCLUSIVE');
  const gateways = await Promise.all(
    [asFile, damaged, locked].map((path) => startGateway(sandbox, ['--ledger', path])),
  );
  context.after(() => Promise.all(gateways.map((gateway) => gateway.close())));
  for (const gateway of gateways) assert.equal((await ask(gateway)).status, 200);
  const [ofFile, ofDamaged, ofLocked] = gateways;
  assert.ok(ofFile && ofDamaged && ofLocked);
  assert.match(await until('it says why', async () => (await ofFile.status()).ledger.problem), /ledger/);
  assert.match(
    await until('it says that it is locked', async () => (await ofLocked.status()).ledger.problem),
    /locked/,
  );
  await usageOf(ofDamaged, 1);
  assert.match(await readFile(join(damaged, 'ledger.sqlite.damaged'), 'latin1'), /never was one/);
  holder.exec('ROLLBACK');
  holder.close();
  await rm(asFile);
  await usageOf(ofLocked, 1);
  await usageOf(ofFile, 1);
  await chmod(damaged, 0o700);
});
