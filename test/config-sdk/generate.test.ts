/** What is generated for applications: held against the compiler, the official SDK, a running gateway and a schema validator. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
// Comes with fastify, which validates with it.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { check } from '../../config-sdk/check.ts';
import { snapshotJsonSchema } from '../../config-sdk/compile/json-schema.ts';
import { clientText } from '../../config-sdk/generate/client.ts';
import { openApiDocument } from '../../config-sdk/generate/openapi.ts';
import { snapshotSchema, type SnapshotInput } from '../../runtime/snapshot.ts';
import * as surfaces from '../../runtime/surfaces/index.ts';
import type { Surface } from '../../runtime/surfaces/surface.ts';
import { snapshotOf, startGateway, testKey } from '../support/gateway.ts';
import { headgate, sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const box = { kind: 'sandbox', options: {}, models: { small: { contextWindow: 8_192 } } };
const small = { kind: 'target' as const, provider: 'box', model: 'small' };

/** A gateway with something of everything that reaches applications. */
const gateway = (parts: Partial<SnapshotInput> = {}): SnapshotInput =>
  snapshotOf({
    providers: { box },
    quotas: { minute: { unit: 'requests', limit: 60, window: '1m' } },
    prompts: {
      desk: {
        system: 'You help {{customer}} in a {{tone}} tone. {{ customer }}!',
        choices: { tone: ['calm', 'brisk'] },
      },
    },
    models: {
      chat: { targets: small, quotas: ['minute'] },
      desk: {
        targets: small,
        prompt: {
          name: 'desk',
          variables: {
            customer: { from: 'metadata', name: 'customer' },
            tone: { from: 'header', name: 'X-Tone', default: 'calm' },
          },
        },
      },
    },
    upstreams: { shop: { url: 'http://127.0.0.1:1' } },
    routes: {
      health: { path: '/shop/health', methods: ['GET'], upstream: 'shop' },
      orders: { path: '/orders/*', methods: ['GET', 'POST'], upstream: 'shop' },
      elsewhere: { path: '/orders', methods: ['GET'], host: 'eu.example.com', upstream: 'shop' },
    },
    ...parts,
  });
const parsed = (snapshot: SnapshotInput) => snapshotSchema.parse(snapshot);

const application = `import OpenAI from 'openai';
import { ask, headersFor, isErrorCode, type ErrorCode, type Prompts, type Routes } from './gateway.ts';

const client = new OpenAI({ baseURL: 'http://127.0.0.1:8080/v1', apiKey: 'key' });
const messages = [{ role: 'user' as const, content: 'Hello' }];

export const plain = () => client.chat.completions.create({ ...ask('chat'), messages });
export const helped = () =>
  client.chat.completions.create({ ...ask('desk', { customer: 'Ada' }), messages }, headersFor('desk', { 'x-tone': 'calm' }));
export const values: Prompts['desk'] = { customer: 'Ada', tone: 'brisk' };
export const order: Routes['orders']['path'] = '/orders/7';
export const post: Routes['orders']['method'] = 'POST';
export const code = (error: { code: unknown }): ErrorCode | undefined => (isErrorCode(error.code) ? error.code : undefined);
`;

/** What the compiler says of an application beside a generated client. */
async function compiled(context: TestContext, client: string, app: string): Promise<string> {
  const folder = await temporaryFolder(context);
  await writeFiles(folder, { 'package.json': '{ "type": "module" }', 'gateway.ts': client, 'app.ts': app });
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(root, 'node_modules/openai'), join(folder, 'node_modules/openai'));
  await symlink(join(root, 'node_modules/@types'), join(folder, 'node_modules/@types'));
  const tsc = join(dirname(fileURLToPath(import.meta.resolve('typescript/package.json'))), 'bin/tsc');
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
  const strict = ['--skipLibCheck', '--allowImportingTsExtensions', '--noUncheckedIndexedAccess'];
  return new Promise((done) => {
    execFile(process.execPath, [tsc, ...flags, ...strict, 'app.ts'], { cwd: folder }, (_error, stdout) => done(stdout));
  });
}

describe('generate client', { concurrency: 2 }, () => {
  const client = clientText(parsed(gateway()));

  test('an application with the official SDK compiles against it', async (context) => {
    assert.equal(await compiled(context, client, application), '');
  });

  test('an application that uses what is gone no longer compiles, at the line that uses it', async (context) => {
    const { desk } = gateway().models;
    assert.ok(desk);
    const withoutCustomer = gateway({
      prompts: { desk: { system: 'Be {{tone}}.', choices: { tone: ['calm'] } } },
      models: { desk: { ...desk, prompt: { name: 'desk', variables: { tone: 'calm' } } } },
      routes: {},
    });
    const errors = await compiled(context, clientText(parsed(withoutCustomer)), application);
    const lines = [...errors.matchAll(/^app\.ts\((\d+),/gm)].map(([, line]) => Number(line));
    // The model chat, what desk took, the variable and the choice, and the route.
    assert.deepEqual([...new Set(lines)], [7, 9, 10, 11, 12]);
    assert.doesNotMatch(errors, /^gateway\.ts/m);
  });

  test('a missing, an extra and a misspelt value are errors', async (context) => {
    const wrong = `import { ask, type Prompts, type Routes } from './gateway.ts';
ask('desk');
ask('desk', { customer: 'Ada', tone: 'calm' });
ask('chat', { customer: 'Ada' });
ask('chta');
export const values: Prompts['desk'] = { customer: 'Ada', tone: 'loud' };
export const path: Routes['orders']['path'] = '/order/7';
`;
    const errors = await compiled(context, client, wrong);
    const lines = [...errors.matchAll(/^app\.ts\((\d+),/gm)].map(([, line]) => Number(line));
    assert.deepEqual(lines, [2, 3, 4, 5, 6, 7]);
  });

  test('its helpers give what the SDK sends', async (context) => {
    const folder = await temporaryFolder(context);
    await writeFiles(folder, { 'gateway.ts': client });
    const made = (await import(pathToFileURL(join(folder, 'gateway.ts')).href)) as Record<
      string,
      (...values: unknown[]) => unknown
    >;
    assert.deepEqual(made['ask']?.('chat'), { model: 'chat' });
    assert.deepEqual(made['ask']?.('desk', { customer: 'Ada' }), { model: 'desk', metadata: { customer: 'Ada' } });
    assert.deepEqual(made['headersFor']?.('desk', { 'x-tone': 'calm' }), { headers: { 'x-tone': 'calm' } });
    assert.deepEqual([made['isErrorCode']?.('quota_exceeded'), made['isErrorCode']?.('toString')], [true, false]);
  });

  test('a gateway without any object, and names that are no identifiers, give a file that compiles', async (context) => {
    assert.equal(await compiled(context, clientText(parsed(snapshotOf({}))), 'import "./gateway.ts";'), '');
    const odd = gateway({
      models: { 'meta/llama-3:8b': { targets: small } },
      prompts: { 'a.b-c': { user: '{{it"s}} {{x}}', choices: { x: ['"', '\\', '*/', '\u2028'] } } },
      routes: { all: { path: '/*', upstream: 'shop' } },
    });
    const used = `import { ask, type Routes } from './gateway.ts';\nask('meta/llama-3:8b');\nexport const path: Routes['all']['path'] = '/any/thing';\n`;
    assert.equal(await compiled(context, clientText(parsed(odd)), used), '');
  });
});

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string }[];
  readonly responses: Readonly<
    Record<string, { description: string; content?: Readonly<Record<string, { schema?: object }>> }>
  >;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly components: Readonly<Record<string, Readonly<Record<string, object>>>>;
}
const documentOf = (snapshot: SnapshotInput) => openApiDocument(parsed(snapshot)) as Document;
const operations = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );

/** What the specification demands of a document's form. */
function holdsTogether(document: Document): void {
  assert.match(document.openapi, /^3\.1\.\d$/);
  for (const [, pointer = ''] of JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)) {
    let at: unknown = document;
    for (const key of pointer.split('/').slice(1)) at = (at as Record<string, unknown>)[key];
    assert.equal(typeof at, 'object', pointer);
  }
  const ids = operations(document).map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length, 'operation ids are unique');
  for (const { path, method, operation } of operations(document)) {
    assert.match(method, /^(get|head|post|put|patch|delete|options)$/);
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = (operation.parameters ?? []).filter((each) => each.in === 'path').map(({ name }) => name);
    assert.deepEqual(declared, named, path);
    for (const [status, { description }] of Object.entries(operation.responses)) {
      assert.match(status, /^(\d{3}|default)$/);
      assert.equal(typeof description, 'string');
    }
  }
  for (const each of document.security)
    for (const scheme of Object.keys(each)) assert.ok(document.components['securitySchemes']?.[scheme]);
}

function validatorFor(document: Document, schema: string) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'https://example.com/document', components: document.components });
  return ajv.compile({ $ref: `https://example.com/document#/components/schemas/${schema}` });
}

describe('generate openapi', () => {
  test('holds together, is the same for the same snapshot, and says only what is served', () => {
    const document = documentOf(gateway());
    holdsTogether(document);
    assert.equal(JSON.stringify(documentOf(gateway())), JSON.stringify(document));
    assert.deepEqual(
      operations(document).map(({ path, method }) => `${method} ${path}`),
      [
        'get /orders',
        'post /orders',
        'get /orders/{path}',
        'post /orders/{path}',
        'get /shop/health',
        'post /v1/chat/completions',
        'post /v1/messages',
        'post /v1/messages/count_tokens',
        'get /v1/models',
        'get /v1/models/{model}',
        'post /v1/models/{model}:countTokens',
        'post /v1/models/{model}:generateContent',
        'post /v1/models/{model}:streamGenerateContent',
        'post /v1/responses',
        'post /v1/responses/input_tokens',
        'get /v1beta/models',
        'get /v1beta/models/{model}',
        'post /v1beta/models/{model}:countTokens',
        'post /v1beta/models/{model}:generateContent',
        'post /v1beta/models/{model}:streamGenerateContent',
      ],
    );
    const bare = JSON.stringify(documentOf(snapshotOf({ providers: { box }, models: { chat: { targets: small } } })));
    assert.doesNotMatch(bare, /quota_exceeded|blocked_by_policy|prompt_variable_missing|model_not_allowed/);
    holdsTogether(documentOf(snapshotOf({})));
  });

  test('an answer of a running gateway is what the document says', async (context) => {
    const server = createServer((_request, response) => response.end('{}'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    context.after(() => server.close());
    const snapshot = gateway({
      upstreams: { shop: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } },
    });
    const document = documentOf(snapshot);
    const running = await startGateway(snapshot);
    context.after(() => running.close());
    const [isRequest, isAnswer, isList, isError, isProblem] = [
      'ModelRequest',
      'ModelAnswer',
      'ModelList',
      'Error',
      'Problem',
    ].map((name) => validatorFor(document, name));
    const asked = { model: 'desk', messages: [{ role: 'user', content: 'Hi' }], metadata: { customer: 'Ada' } };
    const send = (body: object) =>
      running.ask('/v1/chat/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const answer = await send(asked);
    assert.equal(answer.status, 200);
    assert.ok(isRequest?.(asked) && isAnswer?.(await answer.json()));
    const told = document.components['headers'] ?? {};
    const ours = [...answer.headers.keys()].filter((name) => /^(headgate-|ratelimit|x-ratelimit|x-request)/.test(name));
    for (const name of ours) assert.ok(told[name], name);
    for (const wrong of [
      { ...asked, metadata: {} },
      { ...asked, model: 'none' },
    ]) {
      const refused = await send(wrong);
      assert.ok(!isRequest?.(wrong) && isError?.(await refused.json()));
      assert.ok(document.paths['/v1/chat/completions']?.['post']?.responses[refused.status], String(refused.status));
    }
    assert.ok(isList?.(await (await running.ask('/v1/models')).json()));
    for (const { path, method } of operations(document).filter((each) => each.path.startsWith('/orders'))) {
      const { status } = await running.ask(path.replace('{path}', '7/lines'), { method: method.toUpperCase() });
      assert.equal(status, 200, `${method} ${path}`);
    }
    const nobody = await fetch(new URL('/shop/health', running.dataUrl), { headers: { 'x-api-key': `${testKey}x` } });
    assert.ok(nobody.status === 401 && isProblem?.(await nobody.json()));
  });

  test('has schemas for the one surface that says so, and sends readers elsewhere for the others', () => {
    const { paths } = documentOf(gateway());
    const withSchemas = Object.values(surfaces).filter(({ calls: [{ path }] }) => {
      const { content } = paths[path]?.['post']?.responses['200'] ?? {};
      return '$ref' in (content?.['application/json']?.schema ?? {});
    });
    const saying = Object.values<Surface>(surfaces).filter(({ hasOwnSchemas }) => hasOwnSchemas);
    assert.equal(saying.length, 1, 'there are schemas for one surface in generate/openapi-parts.ts');
    assert.deepEqual(withSchemas, saying);
  });

  test('names every call and every list of every surface', () => {
    const { paths } = documentOf(gateway());
    for (const { calls, modelsPath } of Object.values(surfaces))
      assert.deepEqual(
        [...calls.map(({ path }) => path), modelsPath].filter((path) => !paths[path]),
        [],
      );
  });

  test('names what is beside chat where a model is for it, with its own models and the forms it takes', () => {
    const models = {
      vectors: { kind: 'embedding' as const, contextWindow: 8_192 },
      ears: { kind: 'transcription' as const, contextWindow: 8_192 },
    };
    const to = (model: string) => ({ targets: { kind: 'target' as const, provider: 'other', model } });
    const other = { kind: 'openai', options: { baseUrl: 'http://127.0.0.1:1' }, models };
    const { paths } = documentOf(
      snapshotOf({ providers: { other }, models: { search: to('vectors'), notes: to('ears') } }),
    );
    assert.deepEqual(
      Object.keys(paths).filter((path) => paths[path]?.['post']),
      [
        '/v1/audio/transcriptions',
        '/v1/audio/translations',
        '/v1/embeddings',
        '/v1/models/{model}:batchEmbedContents',
        '/v1/models/{model}:embedContent',
        '/v1beta/models/{model}:batchEmbedContents',
        '/v1beta/models/{model}:embedContent',
      ],
    );
    assert.match(JSON.stringify(paths['/v1/embeddings']), /"enum":\["search"\]/);
    assert.match(JSON.stringify(paths['/v1/audio/transcriptions']), /multipart.*"enum":\["notes"\]/);
  });
});

describe('generate schema', () => {
  const accepts = new Ajv2020({ strict: false }).compile(snapshotJsonSchema());

  test('takes what the compiler writes, and refuses what it would not', async () => {
    for (const directory of [root, join(root, 'test/golden/explain')]) {
      const { snapshot } = await check(directory);
      assert.ok(snapshot);
      assert.ok(accepts(snapshot), JSON.stringify(accepts.errors));
    }
    assert.ok(accepts(gateway()));
    const wrong: readonly object[] = [
      { ...gateway(), format: 'headgate/snapshot.v2' },
      { ...gateway(), extra: true },
      { ...gateway(), quotas: { minute: { unit: 'requests', limit: 60, window: 'a while' } } },
      { ...gateway(), providers: { box: { ...box, kind: 'unknown' } } },
      { ...gateway(), rollout: { stages: 'slowly' } },
    ];
    for (const each of wrong) assert.ok(!accepts(each), JSON.stringify(each).slice(0, 80));
  });
});

describe('headgate generate', { concurrency: 2 }, () => {
  test('writes to a file or to standard output, the same each time', async (context) => {
    const folder = await temporaryFolder(context);
    await writeFiles(folder, { 'gateway.config.ts': sampleConfig() });
    for (const what of ['client', 'openapi', 'schema']) {
      const [shown, written] = await Promise.all([
        headgate(folder, ['generate', what]),
        headgate(folder, ['generate', what, '--out', what]),
      ]);
      assert.deepEqual([shown.code, shown.stderr, written.code, written.stdout], [0, '', 0, '']);
      assert.equal(await readFile(join(folder, what), 'utf8'), shown.stdout);
      assert.match((await headgate(folder, ['generate', what, '--help'])).stdout, /--out <file>/);
    }
  });

  test('a configuration with errors gives findings and no file; a wrong word is usage, a wrong place environment', async (context) => {
    const folder = await temporaryFolder(context);
    await writeFiles(folder, { 'gateway.config.ts': sampleConfig().replace("target('echo')", "target('ecko')") });
    const broken = await headgate(folder, ['generate', 'client', '--out', 'client.ts']);
    assert.deepEqual([broken.code, broken.stdout], [1, '']);
    assert.match(broken.stderr, /gateway\.config\.ts:5:\d+ error/);
    await assert.rejects(readFile(join(folder, 'client.ts')));
    assert.equal((await headgate(folder, ['generate', 'java'])).code, 2);
    assert.equal((await headgate(folder, ['generate'])).code, 2);
    const nowhere = await headgate(folder, ['generate', 'schema', '--out', 'no/such/folder.json']);
    assert.equal(nowhere.code, 3);
    assert.match(nowhere.stderr, /no\/such\/folder\.json cannot be written/);
  });
});
