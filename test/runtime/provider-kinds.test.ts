/** The provider kinds that are reached over HTTP: what config may say, and where requests go. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { anthropic } from '../../runtime/providers/anthropic.ts';
import { google } from '../../runtime/providers/google.ts';
import { openai } from '../../runtime/providers/openai.ts';
import { apisFor, type Connection, type ModelKind } from '../../runtime/providers/provider.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

const apiKey = { $secret: 'KEY' };
const readSecret = ({ $secret }: { readonly $secret: string }) => `value-of-${$secret}`;

function problems(options: object, kind: typeof openai | typeof anthropic | typeof google = openai): readonly string[] {
  const parsed = schemaOf(kind.options).safeParse(options);
  return parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('.'));
}

/** The operations beside chat, each at its path. */
const tasksOf = ({ tasks = [] }: Connection) =>
  Object.fromEntries(tasks.map(({ task, path }) => [task.name, path('a/b')]));

const where = ({ apis, tasks: _, holdings, ...rest }: Connection) => ({
  ...rest,
  ...(holdings && { files: holdings.at('/v1/files') }),
  paths: Object.fromEntries(apis.map(({ dialect, address }) => [dialect.name, address({ model: 'any' }).path])),
});

describe('where requests go', () => {
  test('OpenAI by default, with the key as a bearer token', () => {
    const options = schemaOf(openai.options).parse({
      apiKey,
      organization: 'org-1',
      headers: { 'X-Title': 'Headgate' },
    });
    assert.deepEqual(where(openai.connect(options, readSecret)), {
      origin: 'https://api.openai.com',
      paths: { 'openai-chat': '/v1/chat/completions', 'openai-responses': '/v1/responses' },
      files: '/v1/files',
      headers: { 'x-title': 'Headgate', 'openai-organization': 'org-1', authorization: 'Bearer value-of-KEY' },
    });
  });

  test('a local server without a key, its path kept', () => {
    const options = schemaOf(openai.options).parse({ baseUrl: 'http://localhost:11434/v1/' });
    assert.deepEqual(where(openai.connect(options, readSecret)), {
      origin: 'http://localhost:11434',
      paths: { 'openai-chat': '/v1/chat/completions' },
      files: '/v1/files',
      headers: {},
    });
  });

  test('responses where they are declared, for models of both sorts; models that need them are asked nothing else', () => {
    const pathsFor = (options: object, kind: ModelKind) => {
      const connection = openai.connect(schemaOf(openai.options).parse(options), readSecret);
      return apisFor(connection, kind).map(({ address }) => address({ model: 'any' }).path);
    };
    const local = { baseUrl: 'http://localhost:11434/v1' };
    assert.deepEqual(pathsFor({ ...local, responses: true }, 'chat'), ['/v1/chat/completions', '/v1/responses']);
    assert.deepEqual(pathsFor({ ...local, responses: true }, 'responses'), ['/v1/responses']);
    assert.deepEqual(pathsFor(local, 'responses'), []);
    assert.deepEqual(pathsFor({ apiKey }, 'responses'), ['/v1/responses']);
    assert.deepEqual(pathsFor({ apiKey, responses: false }, 'responses'), []);
  });

  test('what is beside chat to its own path under the same base URL', () => {
    assert.deepEqual(
      tasksOf(openai.connect(schemaOf(openai.options).parse({ baseUrl: 'http://localhost/x/' }), readSecret)),
      {
        'openai-embeddings': '/x/embeddings',
        'openai-completions': '/x/completions',
        'openai-moderations': '/x/moderations',
        rerank: '/x/rerank',
        'openai-image-generations': '/x/images/generations',
        'openai-image-edits': '/x/images/edits',
        'openai-image-variations': '/x/images/variations',
        'openai-speech': '/x/audio/speech',
        'openai-transcriptions': '/x/audio/transcriptions',
        'openai-translations': '/x/audio/translations',
      },
    );
  });

  test('Anthropic by default, with its version and key headers', () => {
    assert.deepEqual(where(anthropic.connect(schemaOf(anthropic.options).parse({ apiKey }), readSecret)), {
      origin: 'https://api.anthropic.com',
      paths: { 'anthropic-messages': '/v1/messages' },
      files: '/v1/files',
      headers: { 'anthropic-version': '2023-06-01', 'x-api-key': 'value-of-KEY' },
    });
  });

  test('Google with the model and the way of answering in the path, and the key in a header', () => {
    const connection = google.connect(schemaOf(google.options).parse({ apiKey }), readSecret);
    const { apis, tasks: _, ...rest } = connection;
    assert.deepEqual(tasksOf(connection), {
      'gemini-embeddings': '/v1beta/models/a%2Fb:batchEmbedContents',
      'gemini-embedding': '/v1beta/models/a%2Fb:embedContent',
    });
    assert.deepEqual(rest, {
      origin: 'https://generativelanguage.googleapis.com',
      headers: { 'x-goog-api-key': 'value-of-KEY' },
    });
    assert.deepEqual(apis[0].address({ contents: [], model: 'gemini-2.5-pro', stream: true }), {
      path: '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
      body: { contents: [] },
    });
    const proxied = google.connect(
      schemaOf(google.options).parse({ baseUrl: 'https://llm.example.com/ai/' }),
      readSecret,
    );
    assert.deepEqual(proxied.apis[0].address({ contents: [], model: 'a/b?c', stream: false }), {
      path: '/ai/v1beta/models/a%2Fb%3Fc:generateContent',
      body: { contents: [] },
    });
  });
});

describe('what config may say', () => {
  test('an unknown member, a literal key and a missing key are refused', () => {
    assert.deepEqual(problems({ apiKey, baseURL: 'https://example.com' }), ['']);
    assert.deepEqual(problems({ apiKey: 'sk-123' }), ['apiKey']);
    assert.deepEqual(problems({}), ['apiKey']);
    assert.deepEqual(problems({}, anthropic), ['apiKey']);
    assert.deepEqual(problems({ baseUrl: 'https://llm.example.com' }, anthropic), []);
    assert.deepEqual(problems({}, google), ['apiKey']);
  });

  test('a base URL is http or https and nothing but origin and path', () => {
    for (const baseUrl of ['x', 'ftp://a', 'https://u:p@a.com', 'https://a.com/v1?key=1', 'https://a.com/#x']) {
      assert.deepEqual(problems({ apiKey, baseUrl }), ['baseUrl'], baseUrl);
    }
    assert.deepEqual(problems({ apiKey, baseUrl: 'https://api.anthropic.com/v1/' }, anthropic), ['baseUrl']);
    assert.deepEqual(problems({ apiKey, baseUrl: 'https://llm.example.com/v1beta' }, google), ['baseUrl']);
  });

  test('plain http is for loopback and private hosts, elsewhere only when spelled out', () => {
    const hosts = [
      '127.0.0.1:8000',
      '[::1]:8000',
      '10.1.2.3',
      '172.31.0.1',
      '192.168.1.1',
      '[fd00::1]',
      'vllm',
      'a.svc',
      'b.internal',
    ];
    for (const host of hosts) assert.deepEqual(problems({ baseUrl: `http://${host}/v1` }), [], host);
    const open = [
      'api.example.com',
      '8.8.8.8',
      '172.32.0.1',
      '169.254.169.254',
      'localhost.example.com',
      '[2001:db8::1]',
    ];
    for (const host of open) {
      assert.deepEqual(problems({ baseUrl: `http://${host}/v1` }), ['baseUrl'], host);
      assert.deepEqual(problems({ baseUrl: `http://${host}/v1`, allowInsecureHttp: true }), [], host);
    }
  });

  test('static headers carry no credential, nothing the gateway sets, and no second line', () => {
    const header = (name: string, value = 'x') => problems({ apiKey, headers: { [name]: value } });
    for (const name of ['Authorization', 'x-api-key', 'X-Auth-Token', 'cookie', 'Host', 'content-length', 'a b']) {
      assert.deepEqual(header(name), [`headers.${name}`], name);
    }
    assert.deepEqual(header('x-title', 'a\r\nb: c'), ['headers.x-title']);
    assert.deepEqual(header('anthropic-beta', 'context-1m-2025-08-07'), []);
  });
});
