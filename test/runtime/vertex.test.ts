/** Vertex and Azure, with tokens that somebody gives out: a service account, a metadata server, Entra ID; through a real gateway. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { azure } from '../../runtime/providers/azure.ts';
import { vertex } from '../../runtime/providers/vertex.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import {
  answerJson,
  answerWell,
  startScripted,
  type Received,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

const key = { $secret: 'A' };
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const account = {
  type: 'service_account',
  client_email: 'gateway@my-project.iam.gserviceaccount.com',
  private_key_id: 'k1',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
};

describe('options of vertex', () => {
  const problemsOf = (options: object) => {
    const parsed = schemaOf(vertex.options).safeParse({ project: 'my-project', location: 'europe-west1', ...options });
    return parsed.error?.issues.map(({ path }) => path.join('.')) ?? [];
  };

  test('name one way to show who asks', () => {
    assert.deepEqual(problemsOf({ serviceAccount: key }), []);
    assert.deepEqual(problemsOf({ metadataServer: true }), []);
    assert.deepEqual(problemsOf({ baseUrl: 'http://10.1.2.3' }), []);
    assert.deepEqual(problemsOf({}), ['serviceAccount']);
    assert.deepEqual(problemsOf({ serviceAccount: key, metadataServer: true }), ['metadataServer']);
    assert.deepEqual(problemsOf({ serviceAccount: key, tokenUrl: 'http://tokens.example.com' }), ['tokenUrl']);
    assert.deepEqual(problemsOf({ baseUrl: 'http://10.1.2.3', tokenUrl: 'https://a.example' }), ['tokenUrl']);
    assert.deepEqual(problemsOf({ serviceAccount: key, project: 'a/b', location: 'A' }), ['project', 'location']);
  });

  const connect = (location: string) =>
    vertex.connect(schemaOf(vertex.options).parse({ project: 'p', location, serviceAccount: key }), () => 'no key');

  test('say where requests go', () => {
    assert.equal(connect('europe-west1').origin, 'https://europe-west1-aiplatform.googleapis.com');
    assert.equal(connect('global').origin, 'https://aiplatform.googleapis.com');
    assert.equal(connect('eu').origin, 'https://aiplatform.eu.rep.googleapis.com');
  });

  test('leave no id on a call, and count only what can be counted', () => {
    const [api] = connect('global').apis;
    const parts = [
      { functionCall: { id: 'a', name: 'now' } },
      { function_response: { id: 'a', name: 'now', response: {} } },
      { text: 'id' },
    ];
    const contents = [{ role: 'user', parts }, 'odd'];
    const expected = [
      { functionCall: { name: 'now' } },
      { function_response: { name: 'now', response: {} } },
      { text: 'id' },
    ];
    const { body } = api.address({ model: 'm', contents });
    assert.deepEqual(body, { contents: [{ role: 'user', parts: expected }, 'odd'] });
    const whole = { model: 'models/m', contents, tools: [], safetySettings: [] };
    const counted = api.countAddress?.({ model: 'm', generateContentRequest: whole });
    assert.match(counted?.path ?? '', /publishers\/google\/models\/m:countTokens$/);
    assert.deepEqual(counted?.body, { contents: [{ role: 'user', parts: expected }, 'odd'], tools: [] });
  });

  test('with a secret that is no key fail when asked, without telling it', async () => {
    const { authorize = assert.fail } = connect('global');
    const request = { method: 'POST', origin: '', path: '', headers: {}, body: '' } as const;
    await assert.rejects(authorize(request, new AbortController().signal), (error: Error) => {
      assert.equal(error.name, 'CredentialUnavailable');
      return error.message === 'the secret of serviceAccount is no JSON key of a service account';
    });
  });
});

test('options of azure name one way to show who asks', () => {
  const entra = { tenant: 'contoso.onmicrosoft.com', clientId: 'c-1', clientSecret: key };
  const problemsOf = (options: object) => {
    const parsed = schemaOf(azure.options).safeParse({ baseUrl: 'https://r.openai.azure.com/openai/v1', ...options });
    return parsed.error?.issues.map(({ path }) => path.join('.')) ?? [];
  };
  assert.deepEqual(problemsOf({ entra }), []);
  assert.deepEqual(problemsOf({ apiKey: key }), []);
  assert.deepEqual(problemsOf({}), ['apiKey']);
  assert.deepEqual(problemsOf({ apiKey: key, entra }), ['entra']);
  assert.deepEqual(problemsOf({ entra: { ...entra, tokenUrl: 'http://login.example.com/t' } }), ['entra.tokenUrl']);
  assert.deepEqual(problemsOf({ entra: { ...entra, tenant: 'a/b', clientSecret: 'plain' } }), [
    'entra.tenant',
    'entra.clientSecret',
  ]);
});

describe('through the gateway', () => {
  const secrets = { VERTEX_KEY: JSON.stringify(account), ENTRA_SECRET: 'entra-secret-of-test' };
  let answers: (received: Received) => void = answerToken;
  let tokens: ScriptedUpstream;
  let vendor: ScriptedUpstream;
  let gateway: TestGateway;

  function answerToken({ response, number }: Received): void {
    answerJson(response, 200, { access_token: `token-${number}`, expires_in: 3600, token_type: 'Bearer' });
  }

  function answerVendor(received: Received): void {
    if (!received.path.includes(':generateContent')) return answerWell(received);
    const content = { role: 'model', parts: [{ text: 'fine' }] };
    answerJson(received.response, 200, { candidates: [{ content, finishReason: 'STOP' }], responseId: 'r' });
  }

  before(async () => {
    Object.assign(process.env, secrets);
    [tokens, vendor] = await Promise.all([startScripted((received) => answers(received)), startScripted(answerVendor)]);
    const place = { project: 'my-project', location: 'global', baseUrl: vendor.url };
    const entra = { tenant: 'tenant-1', clientId: 'client-1', clientSecret: { $secret: 'ENTRA_SECRET' } };
    const kinds = {
      account: {
        kind: 'vertex',
        options: { ...place, serviceAccount: { $secret: 'VERTEX_KEY' }, tokenUrl: `${tokens.url}/token` },
      },
      machine: { kind: 'vertex', options: { ...place, metadataServer: true, tokenUrl: `${tokens.url}/metadata` } },
      azure: {
        kind: 'azure',
        options: { baseUrl: `${vendor.url}/openai/v1`, entra: { ...entra, tokenUrl: `${tokens.url}/entra` } },
      },
      refused: {
        kind: 'azure',
        options: { baseUrl: `${vendor.url}/openai/v1`, entra: { ...entra, tokenUrl: `${tokens.url}/refused` } },
      },
    };
    const each = <Item>(item: (name: keyof typeof kinds) => Item) =>
      Object.fromEntries((Object.keys(kinds) as (keyof typeof kinds)[]).map((name) => [name, item(name)]));
    gateway = await startGateway(
      snapshotOf({
        providers: each((name) => ({ ...kinds[name], models: { m: { contextWindow: 100_000 } } })),
        models: each((name) => ({ targets: { kind: 'target', provider: name, model: 'm' } })),
      }),
    );
  });
  after(async () => {
    for (const name of Object.keys(secrets)) delete process.env[name];
    await gateway.close();
    await Promise.all([tokens.close(), vendor.close()]);
  });

  const ask = (model: string) =>
    gateway.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }] });
  /** The questions for tokens that came while `run` ran. */
  async function questionsIn(run: () => Promise<unknown>): Promise<readonly Received[]> {
    const { length } = tokens.received;
    await run();
    return tokens.received.slice(length);
  }
  const lastTo = ({ received }: ScriptedUpstream) => received.at(-1) ?? assert.fail('nothing arrived');

  test('a service account is exchanged for a token, once for all', async () => {
    const questions = await questionsIn(async () => {
      const all = await Promise.all([ask('account'), ask('account'), ask('account')]);
      assert.deepEqual(
        [...all, await ask('account')].map(({ status }) => status),
        [200, 200, 200, 200],
      );
    });
    assert.equal(questions.length, 1);
    const [question = assert.fail()] = questions;
    const form = new URLSearchParams(question.body);
    assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    assert.ok(verify('sha256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url')));
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    assert.deepEqual(read(header), { alg: 'RS256', typ: 'JWT', kid: 'k1' });
    const { iat, exp, ...said } = read(claims);
    assert.equal(Number(exp) - Number(iat), 3600);
    assert.deepEqual(said, {
      iss: account.client_email,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: 'https://oauth2.googleapis.com/token',
    });
    const { path, headers } = lastTo(vendor);
    assert.equal(path, '/v1/projects/my-project/locations/global/publishers/google/models/m:generateContent');
    assert.equal(headers.authorization, `Bearer token-${question.number}`);
  });

  test('a metadata server is asked where the configuration says so', async () => {
    const [question = assert.fail()] = await questionsIn(() => ask('machine'));
    assert.deepEqual([question.path, question.headers['metadata-flavor']], ['/metadata', 'Google']);
    assert.equal(lastTo(vendor).headers.authorization, `Bearer token-${question.number}`);
  });

  test('an application of Entra ID is exchanged for a token', async () => {
    const [question = assert.fail()] = await questionsIn(async () => assert.equal((await ask('azure')).status, 200));
    assert.deepEqual(Object.fromEntries(new URLSearchParams(question.body)), {
      grant_type: 'client_credentials',
      client_id: 'client-1',
      client_secret: 'entra-secret-of-test',
      scope: 'https://cognitiveservices.azure.com/.default',
    });
    const { headers } = lastTo(vendor);
    assert.deepEqual([headers.authorization, headers['api-key']], [`Bearer token-${question.number}`, undefined]);
  });

  test('a refused credential is one, and its secret is nowhere', async () => {
    answers = ({ response }) =>
      answerJson(response, 401, { error: 'invalid_client', error_description: 'entra-secret-of-test is wrong' });
    const response = await ask('refused');
    const text = await response.text();
    answers = answerToken;
    assert.match(text, /upstream_credential_refused/);
    const trace = await fetch(`${gateway.adminUrl}/api/requests/${response.headers.get('x-request-id') ?? ''}`);
    assert.doesNotMatch(text + (await trace.text()), /entra-secret/);
  });
});
