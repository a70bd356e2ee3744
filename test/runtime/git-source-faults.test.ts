/** The git transport against a real git host that misbehaves: always the right answer or a coded error, never a hang. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { promisify } from 'node:util';
import { openGitSource, type GitSource, type GitSourceOptions } from '../../runtime/sync/git-source.ts';
import { SourceError } from '../../runtime/sync/source.ts';
import { basic, startGitServer, type FaultKind, type GitServer } from '../support/git-server.ts';
import { commitTree, publishFiles, temporaryDirectory, writeTree } from '../support/repository.ts';

const ref = 'headgate/compiled';
const config = `{"routes":${JSON.stringify(Array.from({ length: 200 }, (_, index) => `route-${index * 7919}`))}}`;
const signal = new AbortController().signal;

let server: GitServer;
let url: string;
let repository: string;
let commit: string;
let calm: GitSource;
let hasty: GitSource;

before(async () => {
  server = await startGitServer();
  url = await server.createRepository('gateway');
  repository = join(server.root, 'gateway.git');
  const first = await publishFiles(repository, ref, { 'manifest.json': '{}' });
  const tree = await writeTree(repository, [
    { mode: '100644', name: 'config.json', content: config },
    { mode: '100644', name: 'manifest.json', content: '{}' },
  ]);
  commit = await commitTree(repository, { branch: ref, tree, parents: [first] });
  calm = openGitSource({ url, ref });
  hasty = openGitSource({ url, ref, limits: { idleMs: 300, deadlineMs: 1_000 } });
  await Promise.all([calm.tip(signal), hasty.tip(signal)]);
});

afterEach(() => server.setFault(undefined));

after(async () => {
  await Promise.all([calm.close(), hasty.close()]);
  await server.close();
});

async function failureOf(promise: Promise<unknown>): Promise<SourceError> {
  const error = await promise.then(
    (value) => assert.fail(`answered ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SourceError, String(error));
  assert.match(error.message, /^[^\n]{10,400}\.$/);
  return error;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await failureOf(promise)).code;
}

/** Runs the fault against the first and the second request of both questions, then checks that the source heals. */
async function everywhere(source: GitSource, fault: FaultKind, codes: string): Promise<void> {
  for (const method of ['GET', 'POST'] as const) {
    for (const question of ['tip', 'fetch'] as const) {
      server.setFault({ ...fault, method });
      const asked = question === 'tip' ? source.tip(signal) : source.fetch(commit, signal);
      assert.match(await codeOf(asked), new RegExp(`^(${codes})$`), `${method} of ${question}`);
    }
  }
  server.setFault(undefined);
  assert.equal(await calm.tip(signal), commit);
}

async function withSource<Result>(
  options: Partial<GitSourceOptions>,
  use: (source: GitSource) => Promise<Result>,
): Promise<Result> {
  const source = openGitSource({ url, ref, ...options });
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}

test('without faults the tip is listed and its files arrive byte for byte', async () => {
  assert.equal(await calm.tip(signal), commit);
  const artifact = await calm.fetch(commit, signal);
  assert.equal(artifact.commit, commit);
  assert.deepEqual([...artifact.files.keys()], ['config.json', 'manifest.json']);
  assert.equal(Buffer.from(artifact.files.get('config.json') ?? []).toString(), config);
});

test('fault 1: a host that never answers ends as GIT_IDLE', () => everywhere(hasty, { kind: 'hang' }, 'GIT_IDLE'));

test('fault 2: a body that stalls half way ends as GIT_IDLE', () =>
  everywhere(hasty, { kind: 'stall', after: 40 }, 'GIT_IDLE'));

test('fault 3: a slow drip ends at the total deadline although it is never idle', async (t) => {
  // A busy machine lets a drop be late, and by less than this.
  const dripped = openGitSource({ url, ref, limits: { idleMs: 950, deadlineMs: 1_000 } });
  t.after(() => dripped.close());
  await dripped.tip(signal);
  server.setFault({ kind: 'drip', everyMs: 60, method: 'GET' });
  const started = performance.now();
  assert.equal(await codeOf(dripped.tip(signal)), 'GIT_DEADLINE');
  assert.ok(performance.now() - started < 3_000);
  server.setFault({ kind: 'drip', everyMs: 60, method: 'POST' });
  assert.equal(await codeOf(dripped.fetch(commit, signal)), 'GIT_DEADLINE');
  assert.equal(dripped.restarts, 0);
});

test('fault 4: a reset connection ends as GIT_NET', () => everywhere(calm, { kind: 'reset' }, 'GIT_NET'));

test('fault 4: a refused connection ends as GIT_NET and names the host', async () => {
  const gone = await startGitServer();
  await gone.close();
  const error = await withSource({ url: `${gone.url}/a.git` }, (source) => failureOf(source.tip(signal)));
  assert.equal(error.code, 'GIT_NET');
  assert.match(error.message, /127\.0\.0\.1:\d+.*ECONNREFUSED/);
});

test('fault 5: a body cut by a dying connection ends as GIT_TRUNCATED', () =>
  everywhere(calm, { kind: 'truncate', after: 60 }, 'GIT_TRUNCATED'));

test('fault 6: a body cut with a clean end is never taken for an empty repository or a missing branch', async () => {
  // 34 is right behind the flush of the greeting, 57 right behind the flush of the shallow list.
  for (const length of [0, 2, 4, 30, 34, 57, 60]) {
    await everywhere(calm, { kind: 'shorten', after: length }, 'GIT_TRUNCATED');
  }
});

test('fault 6: a protocol 1 listing cut anywhere is never taken for an empty repository', async () => {
  const old = await startGitServer({ isOld: true });
  try {
    const oldUrl = await old.createRepository('gateway');
    const tip = await publishFiles(join(old.root, 'gateway.git'), ref, { 'manifest.json': '{}' });
    await withSource({ url: oldUrl }, async (source) => {
      assert.equal(await source.tip(signal), tip);
      for (const length of [0, 30, 34, 38, 80, 200]) {
        old.setFault({ kind: 'shorten', after: length, method: 'GET' });
        assert.equal(await codeOf(source.tip(signal)), 'GIT_TRUNCATED', `cut at ${length}`);
      }
    });
  } finally {
    await old.close();
  }
});

test('fault 7: a login page with status 200 ends as GIT_NOT_GIT', () =>
  everywhere(calm, { kind: 'html' }, 'GIT_NOT_GIT'));

test('fault 7: a body that is no packet stream ends as GIT_CORRUPT', () =>
  everywhere(calm, { kind: 'replace', change: () => Buffer.from('<html>not packets</html>') }, 'GIT_CORRUPT'));

test('fault 8: status 401 ends as GIT_AUTH after one request', async () => {
  const before401 = server.requests.length;
  server.setFault({ kind: 'status', status: 401, method: 'GET' });
  assert.equal(await codeOf(calm.tip(signal)), 'GIT_AUTH');
  assert.equal(server.requests.length, before401 + 1);
  await everywhere(calm, { kind: 'status', status: 401 }, 'GIT_AUTH');
});

test('fault 9: status 403 ends as GIT_AUTH, with Retry-After as GIT_RETRY_LATER', async () => {
  await everywhere(calm, { kind: 'status', status: 403 }, 'GIT_AUTH');
  await everywhere(calm, { kind: 'status', status: 403, headers: { 'retry-after': '1' } }, 'GIT_RETRY_LATER');
});

test('fault 10: status 404 ends as GIT_NOT_FOUND', async () => {
  await everywhere(calm, { kind: 'status', status: 404 }, 'GIT_NOT_FOUND');
  const missing = `${server.url}/nothing.git`;
  assert.equal(await withSource({ url: missing }, (source) => codeOf(source.tip(signal))), 'GIT_NOT_FOUND');
});

test('fault 11: status 429 carries Retry-After in seconds over the thread boundary as milliseconds', async () => {
  server.setFault({ kind: 'status', status: 429, headers: { 'retry-after': '120' }, method: 'GET' });
  const seconds = await failureOf(calm.tip(signal));
  assert.equal(seconds.code, 'GIT_RETRY_LATER');
  assert.equal(seconds.retryAfterMs, 120_000);
  const date = new Date(Date.now() + 90_000).toUTCString();
  server.setFault({ kind: 'status', status: 429, headers: { 'retry-after': date }, method: 'POST' });
  const dated = await failureOf(calm.fetch(commit, signal));
  assert.equal(dated.code, 'GIT_RETRY_LATER');
  assert.ok(dated.retryAfterMs !== undefined && dated.retryAfterMs > 60_000 && dated.retryAfterMs <= 90_000);
});

test('fault 12: status 500 and 503 end as GIT_SERVER, keeping Retry-After', async () => {
  await everywhere(calm, { kind: 'status', status: 500 }, 'GIT_SERVER');
  server.setFault({ kind: 'status', status: 503, headers: { 'retry-after': '7' }, method: 'GET' });
  const error = await failureOf(calm.tip(signal));
  assert.equal(error.code, 'GIT_SERVER');
  assert.equal(error.retryAfterMs, 7_000);
});

test('fault 13: a repository that moved on the same origin is followed, for the whole call', async () => {
  const moved = `${server.url}/old-name.git`;
  const target = `${url}/info/refs?service=git-upload-pack`;
  await withSource({ url: moved }, async (source) => {
    server.setFault({ kind: 'redirect', location: target, status: 301, method: 'GET', times: 1 });
    assert.equal(await source.tip(signal), commit);
    server.setFault({ kind: 'redirect', location: target, status: 301, method: 'GET', times: 1 });
    assert.equal((await source.fetch(commit, signal)).files.size, 2);
    assert.equal(server.requests.at(-1)?.url, '/gateway.git/git-upload-pack');
    server.setFault({ kind: 'redirect', location: target, method: 'GET' });
    assert.equal(await codeOf(source.tip(signal)), 'GIT_REDIRECT');
    server.setFault({ kind: 'redirect', location: '/login', method: 'GET', times: 1 });
    assert.equal(await codeOf(source.tip(signal)), 'GIT_REDIRECT');
  });
});

test('fault 14: another port or host is refused by name and never sees a request', async () => {
  const other = await startGitServer();
  await using directory = await temporaryDirectory();
  const tokenFile = join(directory.path, 'token');
  await writeFile(tokenFile, 'secret-token\n');
  try {
    await withSource({ tokenFile }, async (source) => {
      for (const method of ['GET', 'POST'] as const) {
        server.setFault({ kind: 'redirect', location: `${other.url}/stolen.git?key=hidden`, status: 307, method });
        const error = await failureOf(source.tip(signal));
        assert.equal(error.code, 'GIT_REDIRECT');
        assert.ok(error.message.includes(`${other.url}/stolen.git`));
        assert.doesNotMatch(error.message, /hidden|secret-token/);
      }
      server.setFault({ kind: 'redirect', location: 'http://localhost:1/a.git', method: 'GET' });
      assert.match((await failureOf(source.tip(signal))).message, /http:\/\/localhost:1\/a\.git/);
    });
    assert.equal(other.requests.length, 0);
    assert.equal(server.requests.at(-1)?.authorization, basic('secret-token'));
  } finally {
    await other.close();
  }
});

test('fault 15: flipped bits in the pack or the framing end in a coded error', async () => {
  for (const place of [0, 7, 11, 13, 60]) {
    const flip = (body: Buffer): Buffer => {
      const damaged = Buffer.from(body);
      const at = body.indexOf('PACK') + place;
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      return damaged;
    };
    server.setFault({ kind: 'replace', change: flip, method: 'POST' });
    assert.equal(await codeOf(calm.fetch(commit, signal)), 'GIT_CORRUPT', `byte ${place} of the pack`);
  }
  server.setFault({ kind: 'flip', at: 0, method: 'POST' });
  assert.equal(await codeOf(calm.fetch(commit, signal)), 'GIT_TRUNCATED');
});

test('fault 15: a listed id that is no commit id ends as GIT_BAD_OID', async () => {
  const spoil = (body: Buffer): Buffer =>
    Buffer.from(body.toString('latin1').replace(commit, 'z'.repeat(40)), 'latin1');
  server.setFault({ kind: 'replace', change: spoil, method: 'POST' });
  assert.equal(await codeOf(calm.tip(signal)), 'GIT_BAD_OID');
  server.setFault({ kind: 'replace', change: spoil, method: 'GET' });
  assert.equal(await codeOf(calm.fetch(commit, signal)), 'GIT_BAD_OID');
});

test('fault 16: an answer over the byte cap ends as GIT_PACK_LIMIT', async () => {
  const branch = 'large';
  const large = await publishFiles(repository, branch, { 'noise.bin': randomBytes(200_000) });
  await withSource({ ref: branch, limits: { maxBytes: 50_000 } }, async (source) => {
    assert.equal(await source.tip(signal), large);
    assert.equal(await codeOf(source.fetch(large, signal)), 'GIT_PACK_LIMIT');
    const flood = (body: Buffer): Buffer => Buffer.concat([body, Buffer.alloc(100_000, '0')]);
    server.setFault({ kind: 'replace', change: flood, method: 'GET' });
    assert.equal(await codeOf(source.tip(signal)), 'GIT_PACK_LIMIT');
  });
});

test('fault 17: an inflation bomb ends as GIT_PACK_LIMIT without being inflated', async () => {
  const branch = 'bomb';
  const bomb = await publishFiles(repository, branch, { 'zeros.bin': Buffer.alloc(30_000_000) });
  await withSource({ ref: branch, limits: { maxInflatedBytes: 20_000_000 } }, async (source) => {
    await source.tip(signal);
    const memory = process.memoryUsage().rss;
    assert.equal(await codeOf(source.fetch(bomb, signal)), 'GIT_PACK_LIMIT');
    assert.ok(process.memoryUsage().rss - memory < 25_000_000);
  });
  const wide = { maxInflatedBytes: 200_000_000, maxFileBytes: 1_000_000 };
  await withSource({ ref: branch, limits: wide }, async (source) => {
    assert.equal(await codeOf(source.fetch(bomb, signal)), 'ARTIFACT_LIMIT');
  });
});

test('fault 18: too many objects end as GIT_PACK_LIMIT, too many files as ARTIFACT_LIMIT', async () => {
  const branch = 'many';
  const files = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`file-${index}.txt`, `${index}`]));
  const many = await publishFiles(repository, branch, files);
  await withSource({ ref: branch, limits: { maxObjects: 10 } }, async (source) => {
    assert.equal(await codeOf(source.fetch(many, signal)), 'GIT_PACK_LIMIT');
  });
  await withSource({ ref: branch, limits: { maxFiles: 10 } }, async (source) => {
    assert.equal(await codeOf(source.fetch(many, signal)), 'ARTIFACT_LIMIT');
  });
});

test('fault 20: an ERR packet is surfaced, in one clean line and without the token', async () => {
  await using directory = await temporaryDirectory();
  const tokenFile = join(directory.path, 'token');
  await writeFile(tokenFile, 'secret-token');
  const text = 'ERR access\u0007 denied\nfor secret-token';
  const packet = Buffer.from((text.length + 4).toString(16).padStart(4, '0') + text);
  await withSource({ tokenFile }, async (source) => {
    for (const method of ['GET', 'POST'] as const) {
      server.setFault({ kind: 'replace', change: () => packet, method });
      for (const ask of [() => source.tip(signal), () => source.fetch(commit, signal)]) {
        const error = await failureOf(ask());
        assert.equal(error.code, 'GIT_REMOTE_ERROR');
        assert.match(error.message, /access denied for \[token\]/);
      }
    }
  });
});

test('fault 20: a commit the ref does not stand at is never reported as fetched', async () => {
  assert.equal(await codeOf(calm.fetch('1'.repeat(40), signal)), 'GIT_MOVED');
  assert.equal(await codeOf(calm.fetch('main', signal)), 'GIT_BAD_OID');
});

test('fault 24: a host with an unknown authority is refused with a hint, and accepted once it is named', async (t) => {
  await using directory = await temporaryDirectory();
  const [key, cert] = [join(directory.path, 'key.pem'), join(directory.path, 'cert.pem')];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test`;
  try {
    const outputs = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert];
    await promisify(execFile)('openssl', [...words.split(' '), ...outputs]);
  } catch {
    t.skip('openssl is not installed');
    return;
  }
  const secure = await startGitServer({
    tls: { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') },
  });
  try {
    const secureUrl = await secure.createRepository('gateway');
    const tip = await publishFiles(join(secure.root, 'gateway.git'), ref, { 'manifest.json': '{}' });
    const error = await withSource({ url: secureUrl }, (source) => failureOf(source.tip(signal)));
    assert.equal(error.code, 'GIT_NET');
    assert.match(error.message, /SELF_SIGNED.*NODE_EXTRA_CA_CERTS/);
    const script = join(directory.path, 'trusting.ts');
    const module = new URL('../../runtime/sync/git-source.ts', import.meta.url).href;
    await writeFile(
      script,
      `const { openGitSource } = await import(${JSON.stringify(module)});
       const source = openGitSource(${JSON.stringify({ url: secureUrl, ref })});
       console.log(await source.tip(new AbortController().signal));
       await source.close();`,
    );
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: cert };
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=source', script], { env });
    assert.equal(stdout.trim(), tip);
  } finally {
    await secure.close();
  }
});

test('fault 25: HTTP_PROXY is honoured, with its credentials', async () => {
  const asked: Array<string | undefined> = [];
  const proxy = createServer().on('connect', (request, client) => {
    asked.push(request.headers['proxy-authorization']);
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [upstream, client]) socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  process.env['HTTP_PROXY'] = `http://me:word@127.0.0.1:${port}`;
  try {
    assert.equal(await withSource({}, (source) => source.tip(signal)), commit);
  } finally {
    delete process.env['HTTP_PROXY'];
    proxy.close();
  }
  assert.equal(asked[0], `Basic ${Buffer.from('me:word').toString('base64')}`);
});

test('fault 26: a token rotated in its file is used by the next call, and sent without being asked', async () => {
  await using directory = await temporaryDirectory();
  const tokenFile = join(directory.path, 'token');
  await writeFile(tokenFile, 'first-token\n');
  server.setToken('first-token');
  try {
    await withSource({ tokenFile }, async (source) => {
      const start = server.requests.length;
      assert.equal(await source.tip(signal), commit);
      assert.equal(server.requests.length, start + 2, 'no round trip is spent on a 401');
      server.setToken('second-token');
      const error = await failureOf(source.tip(signal));
      assert.equal(error.code, 'GIT_AUTH');
      assert.doesNotMatch(error.message, /first-token/);
      await writeFile(tokenFile, 'second-token');
      assert.equal(await source.tip(signal), commit);
      assert.equal((await source.fetch(commit, signal)).files.size, 2);
      await writeFile(tokenFile, 'two\nlines');
      assert.equal(await codeOf(source.tip(signal)), 'GIT_AUTH');
      await writeFile(tokenFile, '');
      assert.equal(await codeOf(source.tip(signal)), 'GIT_AUTH');
    });
  } finally {
    server.setToken(undefined);
  }
  const missing = { tokenFile: join(directory.path, 'nothing') };
  assert.match(await withSource(missing, async (source) => (await failureOf(source.tip(signal))).message), /nothing/);
});

test('fault 28: an abort answers at once and frees the connection', async () => {
  for (const [method, fault] of [
    ['GET', { kind: 'hang' }],
    ['POST', { kind: 'stall', after: 40 }],
  ] as const) {
    server.setFault({ ...fault, method });
    const controller = new AbortController();
    const hit = server.nextFault();
    const asked = failureOf(calm.fetch(commit, controller.signal));
    const entry = await hit;
    const started = performance.now();
    controller.abort();
    assert.equal((await asked).code, 'GIT_ABORTED');
    assert.ok(performance.now() - started < 100);
    await entry.closed;
  }
  server.setFault(undefined);
  assert.equal(await codeOf(calm.tip(AbortSignal.abort())), 'GIT_ABORTED');
  assert.equal(await calm.tip(signal), commit);
  assert.equal(calm.restarts, 0);
});

test('closing answers everything that is under way and frees its connections', async () => {
  server.setFault({ kind: 'hang', method: 'GET' });
  const source = openGitSource({ url, ref });
  const hit = server.nextFault();
  const asked = failureOf(source.tip(signal));
  const entry = await hit;
  await source.close();
  assert.equal((await asked).code, 'GIT_ABORTED');
  await entry.closed;
  assert.equal(await codeOf(source.tip(signal)), 'GIT_ABORTED');
});
