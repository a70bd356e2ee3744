/** Messages on their way: tried again, never in the way, told when they do not arrive. */
import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { statusLetter } from '../../runtime/sync/word/commit-status.ts';
import { Delivery, type Letter, type Patience } from '../../runtime/sync/word/delivery.ts';
import { webhookLetter } from '../../runtime/sync/word/webhook.ts';
import type { Word } from '../../runtime/sync/word/word.ts';
import { createMetrics } from '../../runtime/telemetry/metrics.ts';
import { temporaryDirectory } from '../support/repository.ts';
import { deadUrl, startScripted, type Received, type Script } from '../support/scripted-upstream.ts';
import { until } from '../support/until.ts';

const word: Word = {
  event: 'held',
  time: '2026-01-01T00:00:00.000Z',
  replica: 'r1',
  host: 'h1',
  reason: 'invalid',
  detail: 'not good',
};

const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;

/** As a receiver would, from the words of the standard alone. */
function isSignedWith(secret: string, { headers, body }: Received): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signed = [headers['webhook-id'], headers['webhook-timestamp'], body].join('.');
  const expected = createHmac('sha256', key).update(signed).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .map((one) => one.split(','))
    .some(([version, value]) => {
      const given = Buffer.from(value ?? '', 'base64');
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
}

async function stage(context: TestContext, script: Script, patience: Partial<Patience> = {}) {
  const receiver = await startScripted(script);
  const directory = await temporaryDirectory();
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const metrics = createMetrics();
  const delivery = new Delivery({
    to: 'webhook',
    origin: receiver.url,
    log: pino(sink),
    metrics,
    patience: { tries: 4, firstWaitMs: 20, longestWaitMs: 40, timeoutMs: 2_000, ...patience },
  });
  context.after(async () => {
    await delivery.close(0);
    await receiver.close();
    await directory.remove();
  });
  const file = async (name: string, text: string) => {
    await writeFile(join(directory.path, name), text);
    return join(directory.path, name);
  };
  const failures = async () => (await metrics.wordFailures.get()).values[0]?.value;
  const idle = () => until('nothing waits', async () => delivery.status.waiting === 0, 8_000);
  return { receiver, delivery, file, lines, failures, idle };
}

const plain = (url: string, more: Partial<Letter> = {}): Letter => ({
  about: { word: 'held' },
  write: async () => ({ url, headers: {}, body: '{}' }),
  ...more,
});

test('a receiver that answers 500 twice gets the same signed message a third time', async (context) => {
  const { receiver, delivery, file, failures, idle, lines } = await stage(context, ({ number, response }) => {
    response.writeHead(number < 3 ? 500 : 204).end();
  });
  const secretFile = await file('secret', `${secretOf(1)}\n`);
  delivery.send(webhookLetter({ url: `${receiver.url}/in?key=hunter2`, secretFile }, word));
  await idle();
  assert.equal(receiver.received.length, 3);
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1);
  for (const one of receiver.received) {
    assert.ok(isSignedWith(secretOf(1), one));
    assert.ok(!isSignedWith(secretOf(2), one));
    assert.equal(one.path, '/in?key=hunter2');
    assert.ok(Math.abs(Number(one.headers['webhook-timestamp']) * 1_000 - Date.now()) < 10_000);
    assert.deepEqual(one.json, { type: 'revision.held', timestamp: word.time, data: word });
  }
  assert.equal(await failures(), 0);
  assert.deepEqual(lines, []);
  assert.equal(delivery.status.lastFailure, undefined);
  assert.ok(delivery.status.lastOkAt);
});

test('secrets are read at each try, and while two are listed each of them verifies', async (context) => {
  const { receiver, delivery, file, idle } = await stage(context, async ({ number, response }) => {
    if (number === 1) await file('secret', `${secretOf(1)}\n${secretOf(2)}\n`);
    response.writeHead(number === 1 ? 503 : 200).end();
  });
  delivery.send(webhookLetter({ url: receiver.url, secretFile: await file('secret', secretOf(1)) }, word));
  await idle();
  const [first, second] = receiver.received;
  assert.ok(first && second);
  assert.ok(isSignedWith(secretOf(1), first) && !isSignedWith(secretOf(2), first));
  assert.ok(isSignedWith(secretOf(1), second) && isSignedWith(secretOf(2), second));
});

test('a receiver that hangs is given up, told and counted, and what comes after it still arrives', async (context) => {
  const patience = { tries: 2, timeoutMs: 150 };
  const script: Script = ({ path, response }) => void (path === '/fine' && response.end());
  const { receiver, delivery, failures, idle, lines } = await stage(context, script, patience);
  const started = performance.now();
  delivery.send(plain(`${receiver.url}/hangs?key=hunter2`));
  delivery.send(plain(`${receiver.url}/fine`));
  assert.ok(performance.now() - started < 50, 'nobody waits for it');
  await idle();
  assert.deepEqual(
    receiver.received.map(({ path }) => path),
    ['/hangs?key=hunter2', '/hangs?key=hunter2', '/fine'],
  );
  assert.equal(await failures(), 1);
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? '',
    /"event":"word_failed","to":"webhook","word":"held","problem":"no answer within 150 ms, 2 times"/,
  );
  assert.doesNotMatch(lines.join('') + JSON.stringify(delivery.status), /hunter2/);
});

test('a redirect is not followed, and not tried again', async (context) => {
  const { receiver, delivery, failures, idle } = await stage(context, ({ response }) => {
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  delivery.send(plain(`${receiver.url}/in`));
  await idle();
  assert.deepEqual(
    receiver.received.map(({ path }) => path),
    ['/in'],
  );
  assert.equal(await failures(), 1);
  assert.match(delivery.status.lastFailure?.problem ?? '', /status 307: redirects are not followed/);
});

test('what is refused for good is not asked again; what is only too early is, after the time it says', async (context) => {
  const { receiver, delivery, idle, failures } = await stage(context, ({ path, number, response }) => {
    if (path === '/gone') response.writeHead(410).end();
    else response.writeHead(number === 2 ? 429 : 200, { 'retry-after': '1' }).end();
  });
  delivery.send(plain(`${receiver.url}/gone`));
  await idle();
  assert.equal(receiver.received.length, 1);
  const started = performance.now();
  delivery.send(plain(`${receiver.url}/soon`));
  await idle();
  assert.ok(performance.now() - started >= 950);
  assert.equal(receiver.received.length, 3);
  assert.equal(await failures(), 1);
});

test('where nothing listens it is tried again and told without the address', async (context) => {
  const { delivery, idle, lines } = await stage(context, () => undefined, { tries: 3 });
  const url = await deadUrl();
  delivery.send(plain(`${url}/hunter2`));
  await idle();
  assert.match(lines.join(''), /not reached \(ECONNREFUSED\), 3 times/);
  assert.doesNotMatch(lines.join(''), /hunter2|127\.0\.0\.1/);
});

test('too many waiting messages push the oldest out; a newer one of the same key takes the place of the older', async (context) => {
  const held: Received[] = [];
  const { receiver, delivery, idle, failures } = await stage(
    context,
    (one) => {
      if (one.number === 1) held.push(one);
      else one.response.end();
    },
    { mostWaiting: 2 },
  );
  delivery.send(plain(`${receiver.url}/first`));
  await receiver.request(1);
  for (const path of ['a', 'b', 'c']) delivery.send(plain(`${receiver.url}/${path}`));
  assert.equal(await failures(), 1, 'a is lost');
  delivery.send(plain(`${receiver.url}/keyed-old`, { key: 'k' }));
  delivery.send(plain(`${receiver.url}/keyed-new`, { key: 'k' }));
  held[0]?.response.end();
  await idle();
  assert.deepEqual(
    receiver.received.map(({ path }) => path),
    ['/first', '/c', '/keyed-new'],
  );
});

test('an end waits a moment for what is under way, and no longer', async (context) => {
  const { receiver, delivery, lines } = await stage(context, ({ path, response }) => {
    if (path === '/slow') setTimeout(() => response.end(), 100);
  });
  delivery.send(plain(`${receiver.url}/slow`));
  delivery.send(plain(`${receiver.url}/never`));
  delivery.send(plain(`${receiver.url}/unsent`));
  const started = performance.now();
  await delivery.close(500);
  assert.ok(performance.now() - started < 1_500);
  assert.deepEqual(
    receiver.received.map(({ path }) => path),
    ['/slow', '/never'],
  );
  assert.equal(lines.filter((line) => line.includes('the gateway ended before it arrived')).length, 2);
});

const facts = {
  revision: 'a'.repeat(12),
  commit: 'a'.repeat(40),
  seq: 1,
  digest: undefined,
  author: 'Ada',
  subject: 'x',
  gateway: 'demo',
};

for (const { host, header, value, states } of [
  { host: 'github', header: 'authorization', value: 'Bearer t-2', states: ['pending', 'failure'] },
  { host: 'gitlab', header: 'private-token', value: 't-2', states: ['running', 'failed'] },
  { host: 'gitea', header: 'authorization', value: 'token t-2', states: ['pending', 'failure'] },
] as const)
  test(`a commit status speaks as ${host} listens, with the token that is there at that try`, async (context) => {
    const { receiver, delivery, file, idle, lines } = await stage(context, async ({ number, response }) => {
      if (number === 1) await file('token', 't-2\n');
      response.writeHead(number === 1 ? 502 : 201).end();
    });
    const tokenFile = await file('token', 't-1');
    const status = { host, url: `${receiver.url}/repo`, tokenFile, context: 'headgate/demo' };
    const about = { facts, isVerified: false };
    const trial = statusLetter(status, { kind: 'on_trial', commit: 'c' }, about);
    const detail = `revision x by Ada ("y") was taken back: ${'it broke\n'.repeat(40)}`;
    const back = statusLetter(status, { kind: 'rolled_back', commit: 'c', detail }, about);
    assert.ok(trial && back);
    delivery.send(trial);
    await idle();
    delivery.send(back);
    await idle();
    const last = receiver.received.slice(1);
    assert.deepEqual(
      last.map(({ json }) => json['state']),
      states,
    );
    for (const { path, headers, json } of last) {
      assert.equal(path, `/repo/statuses/${facts.commit}`);
      assert.equal(headers[header], value);
      assert.equal(json['context'], 'headgate/demo');
    }
    const description = String(last[1]?.json['description']);
    assert.match(description, /^rolled back: it broke it broke .*…$/);
    assert.equal(description.length, 140);
    assert.doesNotMatch(lines.join(''), /t-[12]/);
  });

test('GitLab saying that the state stands already is no failure', async (context) => {
  const { receiver, delivery, file, idle, failures } = await stage(context, ({ response }) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end('{"message":"Cannot transition status via :run from :running"}');
  });
  const tokenFile = await file('token', 't');
  const status = { host: 'gitlab', url: receiver.url, tokenFile, context: 'c' } as const;
  const letter = statusLetter(status, { kind: 'on_trial', commit: 'c' }, { facts, isVerified: false });
  assert.ok(letter);
  delivery.send(letter);
  await idle();
  assert.deepEqual([receiver.received.length, await failures()], [1, 0]);
});

test('a token file that went away is told by its name alone', async (context) => {
  const { receiver, delivery, lines, idle } = await stage(context, () => undefined, { tries: 2 });
  const status = { host: 'github', url: receiver.url, tokenFile: '/nowhere/token', context: 'c' } as const;
  const letter = statusLetter(status, { kind: 'on_trial', commit: 'c' }, { facts, isVerified: false });
  assert.ok(letter);
  delivery.send(letter);
  await idle();
  assert.match(
    lines.join(''),
    /token file \/nowhere\/token for commit statuses cannot be read \(ENOENT\): put it back, 2 times/,
  );
  assert.equal(receiver.received.length, 0);
});
