/** Forms that pass as they arrive, cut at any byte: files of calls are read whatever stands first, and nothing slips by. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openDecider } from '../../runtime/decide.ts';
import { openaiHoldings } from '../../runtime/dialects/openai-holdings.ts';
import { HeadgateError } from '../../runtime/errors.ts';
import { lineChanger, Upload } from '../../runtime/pipeline/upload.ts';
import { leastSecretChars, Seal } from '../../runtime/seal.ts';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { snapshotOf } from '../support/gateway.ts';

const { callFiles } = openaiHoldings;
assert.ok(callFiles);

type Part = readonly [name: string, content: string, more?: string];
const form = (...parts: readonly Part[]): string =>
  `${parts.map(([name, content, more = '']) => `--xx\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`).join('')}--xx--\r\n`;
const file = (content: string): Part => ['file', content, '; filename="a.jsonl"'];
const purpose = (content: string): Part => ['purpose', content];
const line = (id: string, model = 'chat') =>
  JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body: { model } });

async function* cut(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function passed(text: string, size = 7): Promise<{ readonly sent: string; readonly isChanged: boolean }> {
  const upload = new Upload(
    callFiles,
    lineChanger(callFiles ?? assert.fail(), ({ body }) => ({ ...body, model: 'theirs' })),
  );
  const pieces: Buffer[] = [];
  for await (const piece of upload.pass(cut(text, size), 'xx')) pieces.push(piece);
  return { sent: Buffer.concat(pieces).toString(), isChanged: upload.isChanged };
}

const refused = async (text: string): Promise<string> => {
  const error = await passed(text).then(
    ({ sent }) => assert.fail(`it passed: ${sent}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HeadgateError, String(error));
  return error.message;
};

describe('a file of calls', () => {
  const calls = `${line('ü')}\n\n${line('b')}`;
  const changed = calls.replaceAll('"chat"', '"theirs"');

  test('is changed line by line, whether its purpose stands before or after it, wherever it is cut', async () => {
    for (const parts of [
      [purpose('batch'), file(calls)],
      [file(calls), purpose('batch')],
      [purpose('batch'), file(`${calls}\n`), ['expires_after[seconds]', '3600']],
      [file(calls.replaceAll('\n', '\r\n')), purpose(' Batch ')],
    ] as const satisfies readonly (readonly Part[])[]) {
      const text = form(...parts);
      for (const size of [1, 2, 5, 64, 10_000]) {
        const { sent, isChanged } = await passed(text, size);
        assert.equal(
          sent.replaceAll('\r', ''),
          text.replaceAll('"chat"', '"theirs"').replaceAll('\r', ''),
          `by ${size}`,
        );
        assert.ok(isChanged);
      }
    }
    assert.ok(
      (await passed(form(file(`\uFEFF${calls}`), purpose('batch')))).sent.includes(changed),
      'behind a byte order mark',
    );
  });

  test('does not pass unread under any disguise', async () => {
    const other = '{"messages": []}\n';
    assert.match(await refused(form(file(other + calls), purpose('batch'))), /first line is none/);
    assert.match(await refused(form(file(`\n${calls}`), purpose('batch'))), /first line is none/);
    assert.match(await refused(form(purpose('batch'), file(other))), /^Line 1: url is missing/);
    assert.match(await refused(form(file(calls), purpose('user_data'))), /send purpose before it/);
    assert.match(await refused(form(purpose('user_data'), file(calls), purpose('batch'))), /needs one purpose/);
    assert.match(await refused(form(file(calls), file(calls), purpose('batch'))), /may have one file/);
    assert.match(await refused(form(file(other), ['purpose', 'batch', '; filename="x"'])), /may have one file/);
    assert.match(
      await refused(form(['purpose', 'batch', '; filename="x"'], file(other))),
      /needs one purpose, as text/,
    );
    const encoded = form(purpose('user_data')).replace('\r\n\r\n', '\r\nContent-Transfer-Encoding: base64\r\n\r\n');
    assert.match(await refused(encoded), /encoded once more/);
    const split = form(file(other), purpose('user_data')).replace('\r\nContent-D', '\r\nX-A: b\nContent-D');
    assert.match(await refused(split), /ends in another way/);
    assert.match(await refused(form(file(calls)).replace('--xx--', '--xx')), /no plain form/);
    assert.match(await refused(form(purpose('batch'))), /file is missing/);
    assert.match(await refused(form(file(`${line('a')}\n[1]\n`), purpose('batch'))), /^Line 2: /);
    assert.match(await refused(form(purpose('batch'), file(line('a').replace('POST', 'GET')))), /^Line 1: method/);
  });
});

test('any other file passes byte for byte', async () => {
  for (const parts of [
    [purpose('user_data'), file('{"messages": [1]}\n\u0000\u0001--xx \r\n--x')],
    [file(''), purpose('vision')],
    [file(line('a').slice(1)), purpose('fine-tune')],
    [file('{'.repeat(1_500_000)), purpose('user_data')],
    [purpose('user_data'), file(line('a'))],
  ] as const satisfies readonly (readonly Part[])[]) {
    const text = form(...parts);
    assert.deepEqual(await passed(text, 4_099), { sent: text, isChanged: false });
  }
});

describe('a seal', () => {
  const seal = new Seal('x'.repeat(leastSecretChars));
  const ada = { account: 'openai', consumer: 'ada' };

  test('gives each owner a name of its own, the same each time, and tells nothing of the id', () => {
    const name = seal.nameOf('file-abc123', ada);
    assert.equal(seal.nameOf('file-abc123', ada), name);
    assert.equal(new Seal('x'.repeat(leastSecretChars)).idOf(name, ada), 'file-abc123');
    assert.match(name, /^hg_[\w-]{36}$/);
    const others = [
      { ...ada, consumer: 'bob' },
      { ...ada, account: 'azure' },
    ];
    for (const other of others) {
      assert.notEqual(seal.nameOf('file-abc123', other), name);
      assert.equal(seal.idOf(name, other), undefined);
    }
    assert.equal(new Seal('y'.repeat(leastSecretChars)).idOf(name, ada), undefined);
  });

  test('opens nothing that it did not make', () => {
    const name = seal.nameOf('file-abc123', ada);
    for (let at = 3; at < name.length; at += 1) {
      const forged = `${name.slice(0, at)}${name[at] === 'A' ? 'B' : 'A'}${name.slice(at + 1)}`;
      assert.ok(seal.idOf(forged, ada) === undefined || at === name.length - 1, forged);
    }
    for (const odd of ['', 'hg_', 'file-abc123', 'hg_AAAA', `${name}A`.repeat(40), `${name}/content`])
      assert.equal(seal.idOf(odd, ada), undefined, odd);
  });
});

describe('offline', async () => {
  const apiKey = { $secret: 'NOBODY_HAS_THIS' };
  const files = { seal: { $secret: 'NOR_THIS' } };
  const decider = await openDecider(
    snapshotOf({
      providers: {
        vault: { kind: 'openai', options: { apiKey }, files, models: {} },
        own: { kind: 'anthropic', options: { apiKey }, files: { ...files, sole: true }, models: {} },
      },
      quotas: { few: { unit: 'requests', limit: 1, window: '1m' } },
      consumers: { keeper: { keys: [], files: ['vault', 'own'], quotas: ['few'] } },
      sources: { 'providers.vault': 'gateway.config.ts:1:1' },
    }),
  );
  const ask = async (method: string, path: string, consumer = 'keeper') =>
    decider.explain(await decider.decide({ method, path, consumer }));

  test('it is told who keeps whose files, and what is drawn from', async () => {
    const { steps, refusal } = await ask('POST', '/v1/files');
    assert.equal(refusal, undefined);
    assert.deepEqual(
      steps.map(({ stage, said, at }) => [stage, said, at]),
      [
        ['surface', 'POST /v1/files is about files or batches (openai)', undefined],
        ['consumer', 'keeper', undefined],
        ['target', 'vault/files', 'gateway.config.ts:1:1'],
        ['quota', 'few: number 1 of 1 requests in 1m of keeper; the window ends in 1m', undefined],
      ],
    );
    assert.deepEqual((await ask('GET', '/v1/messages/batches')).outcome.order, ['own/files']);
  });

  test('it is told why not', async () => {
    const refusals: readonly [method: string, path: string, consumer: string, code: string, object?: string][] = [
      ['GET', '/v1/files', 'keeper', 'list_not_allowed', 'providers.vault'],
      ['GET', '/v1/batches/hg_x', 'tester', 'files_not_allowed', 'consumers.tester'],
      ['PATCH', '/v1/files/hg_x', 'keeper', 'method_not_allowed'],
      ['GET', '/v1/files/hg_x/more', 'keeper', 'route_not_found'],
    ];
    for (const [method, path, consumer, code, object] of refusals) {
      const { refusal } = await ask(method, path, consumer);
      assert.deepEqual([refusal?.code, refusal?.object], [code, object], `${method} ${path}`);
    }
  });

  test('a revision in which files could get into other hands is refused', async () => {
    const vault = { kind: 'openai', options: { apiKey } };
    const of = (provider: object, kind: object = vault) => ({ vault: { ...kind, models: {}, ...provider } });
    const cases: readonly [providers: object, words: RegExp][] = [
      [of({}), /consumers\.keeper: provider 'vault' has no files/],
      [of({ files: { ...files, sole: true } }), /'vault' is the sole account of consumer '\w+' already/],
      [of({ files }, { kind: 'sandbox', options: {} }), /providers\.vault: has files, and what kind sandbox keeps/],
    ];
    for (const [providers, words] of cases) {
      const consumers = { keeper: { keys: [], files: ['vault'] }, other: { keys: [], files: ['vault'] } };
      const snapshot = snapshotOf({ providers: providers as SnapshotInput['providers'], consumers });
      await assert.rejects(openDecider(snapshot), words);
    }
  });
});
