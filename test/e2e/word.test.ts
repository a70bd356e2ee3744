/** A gateway tells the world what became of revisions: log, webhook, status on the commit, and `headgate status`. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Word } from '../../runtime/sync/word/word.ts';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith, testKey } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { headgate, temporaryFolder } from '../support/sample-repository.ts';
import { answerWell, startScripted, type Received, type Script } from '../support/scripted-upstream.ts';
import { grounds, type LogEntry, type Serving } from '../support/serving-process.ts';
import { allows, newKey } from '../support/signing.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

/** Takes webhooks at `/hook` and statuses at `/api/statuses/<commit>`. */
async function listener(context: TestContext, script: Script = ({ response }) => void response.end()) {
  const receiver = await startScripted(script);
  context.after(() => receiver.close());
  const at = (path: string) => receiver.received.filter((one) => one.path.startsWith(path));
  return {
    url: receiver.url,
    words: () => at('/hook').map(({ json }) => json['data'] as Word),
    statuses: (commit: string) => at(`/api/statuses/${commit}`).map(({ json }) => json),
    flags: async () => {
      const token = join(await temporaryFolder(context), 'token');
      await writeFile(token, 'hunter2');
      const status = ['--commit-status', 'github', '--commit-status-url', `${receiver.url}/api`];
      return ['--webhook', `${receiver.url}/hook?key=hunter3`, ...status, '--commit-status-token-file', token];
    },
  };
}

async function vendor(context: TestContext): Promise<{ good: string; bad: string }> {
  const upstream = await startScripted((received) => {
    if (received.path.startsWith('/good')) answerWell(received);
    else received.response.writeHead(401).end('{}');
  });
  context.after(() => upstream.close());
  return { good: `${upstream.url}/good`, bad: `${upstream.url}/bad` };
}

async function askVendor(gateway: Serving): Promise<void> {
  const response = await fetch(`${await gateway.dataUrl()}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(question('vendor')),
  });
  await response.text();
}

const short = (n: number): string => sourceOf(n).slice(0, 12);
const events = (words: readonly Word[]) => words.map(({ event, seq }) => `${event} ${seq}`);

test('good, bad and broken revisions are each told once, in all four places', { timeout: 60_000 }, async (context) => {
  const { branch, start } = await grounds(context);
  const { good, bad } = await vendor(context);
  const { words, statuses, flags, url } = await listener(context);
  await branch.publish(versioned(1, { vendorUrl: good }));
  const gateway = start('--bake', '1s', '--bake-samples', '1', ...(await flags()));
  await until('1 is accepted', async () => words().length === 1, 15_000);
  await branch.publish(versioned(2, { vendorUrl: good }));
  await until('2 serves', async () => (await gateway.which())?.revision === short(2));
  await until('2 is accepted', async () => words().length === 2);
  const third = await branch.publish(versioned(3, { vendorUrl: bad }));
  await until('3 serves', async () => (await gateway.which())?.revision === short(3));
  for (let failed = 0; failed < 4; failed += 1) await askVendor(gateway);
  await until('3 is taken back', async () => words().length === 3);
  const fourth = await branch.publish(versioned(4), { replace: { 'snapshot.json': Buffer.from('{}') } });
  await until('4 is held', async () => words().length === 4);
  await until('4 is marked', async () => statuses(sourceOf(4)).length === 1);

  const [first, second, back, held] = words();
  assert.ok(first && second && back && held);
  assert.deepEqual(events(words()), ['accepted 1', 'accepted 2', 'rolled_back 3', 'held 4']);
  assert.deepEqual([first.verified, second.verified], [false, true]);
  assert.equal(second.previous?.revision, short(1));
  assert.equal(second.serving?.revision, short(2));
  assert.match(back.detail, /Ada.*"A change".*taken back:.*vendor\/m refused our credential.*gateway\.config\.ts:7:16/);
  assert.deepEqual([back.artifact, back.commit, back.reason], [third, sourceOf(3), 'bad-health']);
  assert.equal(back.serving?.revision, short(2));
  assert.deepEqual([held.artifact, held.reason, held.author, held.subject], [fourth, 'invalid', 'Ada', 'A change']);
  assert.match(held.digest ?? '', /^sha256:[0-9a-f]{64}$/);

  const marks = (n: number) => statuses(sourceOf(n)).map(({ state }) => state);
  assert.deepEqual([1, 2, 3, 4].map(marks), [['success'], ['pending', 'success'], ['pending', 'failure'], ['failure']]);
  const failure = statuses(sourceOf(3))[1];
  assert.equal(failure?.['context'], 'headgate/test');
  assert.match(String(failure?.['description']), /^rolled back: vendor\/m refused our credential/);

  const told = (gateway.entries() as readonly (LogEntry & Partial<Word>)[]).filter(
    ({ event }) => event === 'accepted' || event === 'rolled_back' || event === 'held',
  );
  assert.deepEqual(
    told.map(({ event, seq }) => `${event} ${seq}`),
    events(words()),
  );
  assert.doesNotMatch(gateway.output, /hunter/);

  const { word, replicaId } = await gateway.status();
  assert.deepEqual(events(word.recent), events(words()).toReversed());
  assert.equal(word.webhook?.origin, url);
  assert.deepEqual([word.webhook?.waiting, word.webhook?.lastFailure], [0, undefined]);
  assert.equal(back.replica, replicaId);
  assert.doesNotMatch(JSON.stringify(word), /hunter/);
  const admin = (await gateway.printed(/"adminUrl":"([^"]+)"/))[1] ?? '';
  const { stdout } = await headgate(await temporaryFolder(context), ['status', admin]);
  assert.match(stdout, new RegExp(`webhook +${url}: last arrived \\d+s ago\n`));
  assert.match(stdout, /on commits .*: last arrived/);
  assert.match(
    stdout,
    new RegExp(`lately\n +\\d+s ago +${short(4)} held \\(invalid\\): snapshot.json is not the file`),
  );
  assert.match(stdout, new RegExp(`${short(3)} rolled back: .*refused our credential`));
  assert.match(stdout, new RegExp(`${short(2)} accepted: ${short(2)} passed its trial`));
});

test('what is not signed is told without believing what it says of itself', { timeout: 30_000 }, async (context) => {
  const { branch, start } = await grounds(context);
  const { words, flags, statuses } = await listener(context);
  const signers = join(await temporaryFolder(context), 'signers');
  await writeFile(signers, allows(newKey()));
  const commit = await branch.publish(versioned(1));
  start('--signers', signers, ...(await flags()));
  const word = await until('it is held', async () => words()[0], 15_000);
  assert.deepEqual([word.event, word.reason, word.artifact], ['held', 'signature', commit]);
  for (const name of ['commit', 'author', 'subject', 'seq', 'digest', 'gateway'] as const)
    assert.equal(word[name], undefined, name);
  assert.deepEqual(statuses(''), []);
});

test('a receiver that hangs is in nobody’s way, not even at the end', { timeout: 30_000 }, async (context) => {
  const { branch, start } = await grounds(context);
  const hooked: Received[] = [];
  const { flags } = await listener(context, (one) => void hooked.push(one));
  await branch.publish(versioned(1));
  const gateway = start('--bake', '0s', '--drain', '0s', ...(await flags()));
  for (let n = 1; n <= 3; n += 1) {
    if (n > 1) await branch.publish(versioned(n));
    await until(`${n} serves`, async () => (await gateway.which())?.says === `version ${n}`, 15_000);
  }
  assert.ok(hooked.length > 0);
  await until('words wait', async () => ((await gateway.status()).word.webhook?.waiting ?? 0) >= 2);
  const started = performance.now();
  assert.equal(await gateway.end('SIGTERM'), 0);
  assert.ok(performance.now() - started < 6_000);
  assert.match(gateway.output, /"event":"word_failed","to":"webhook".*the gateway ended before it arrived/);
});

test('replicas write the same words on a commit, to the letter', { timeout: 30_000 }, async (context) => {
  await using directory = await temporaryDirectory();
  const repository = join(directory.path, 'repository.git');
  await initRepository(repository, { bare: true });
  const branch = artifactBranch(repository);
  const { flags, statuses, words } = await listener(context);
  await branch.publish(versioned(1));
  const given = ['--repo', repository, '--poll', '100ms', '--bake', '300ms', ...(await flags())];
  const replicas = await Promise.all([startWith(given), startWith(given)]);
  context.after(() => Promise.all(replicas.map((replica) => replica.close())));
  await branch.publish(versioned(2));
  await until('both say so', async () => words().filter(({ seq }) => seq === 2).length === 2);
  await until('both marked it', async () => statuses(sourceOf(2)).length === 4);
  assert.equal(new Set(statuses(sourceOf(2)).map((body) => JSON.stringify(body))).size, 2, 'pending and success');
  assert.equal(new Set(words().map(({ replica }) => replica)).size, 2);
  const [one] = replicas;
  assert.match(await one.metrics(), /headgate_config_word_failures_total\{to="webhook"\} 0/);
});

test(
  'a refusal is told once, however often the same commit is looked at again',
  { timeout: 30_000 },
  async (context) => {
    await using directory = await temporaryDirectory();
    const repository = join(directory.path, 'repository.git');
    await initRepository(repository, { bare: true });
    const branch = artifactBranch(repository);
    const { flags, words } = await listener(context);
    await branch.publish(versioned(1));
    const gateway = await startWith(['--repo', repository, '--poll', '100ms', '--bake', '0s', ...(await flags())]);
    context.after(() => gateway.close());
    const broken = { replace: { 'snapshot.json': Buffer.from('{}') } };
    const second = await branch.publish(versioned(2), broken);
    const isHeld = async () => {
      const { held } = await gateway.status();
      return held?.commit === second;
    };
    await until('2 is held', isHeld);
    const order = (path: string) => fetch(`${gateway.adminUrl}${path}`, { method: 'POST' });
    const looks = async () => Number(/to="VERIFYING",reason=""\} (\d+)/.exec(await gateway.metrics())?.[1]);
    const before = await looks();
    await order('/pause');
    await order('/resume');
    await until('it was looked at again', async () => (await looks()) > before && (await isHeld()));
    await branch.publish(versioned(3), broken);
    await until('3 is told', async () => words().some(({ seq }) => seq === 3));
    assert.deepEqual(events(words()), ['accepted 1', 'held 2', 'held 3']);
  },
);
