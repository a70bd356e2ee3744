/** How Bedrock is reached: signatures that a second implementation agrees with, options, streams through a real gateway. */
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { bedrock } from '../../runtime/providers/bedrock.ts';
import { signatureOf } from '../../runtime/providers/bedrock-signature.ts';
import { eventFrame, exceptionFrame } from '../support/event-stream.ts';
import { snapshotOf, startGateway, type TestGateway } from '../support/gateway.ts';
import { answerJson, startScripted, type Received, type ScriptedUpstream } from '../support/scripted-upstream.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

const exampleKey = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

describe('AWS’s own examples are signed as AWS signs them', () => {
  // The "Signature Version 4 test suite" of AWS, as in smithy-typescript, packages/signature-v4, suite.fixture.
  const token =
    'AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==';
  const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'Param1=value1' };
  interface Example {
    readonly name: string;
    readonly token?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
    readonly signed: string;
    readonly signature: string;
  }
  const cases: readonly Example[] = [
    {
      name: 'post-vanilla',
      signed: 'host;x-amz-date',
      signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    },
    {
      name: 'post-x-www-form-urlencoded',
      ...form,
      signed: 'content-type;host;x-amz-date',
      signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    },
    {
      name: 'post-sts-header-before',
      token,
      signed: 'host;x-amz-date;x-amz-security-token',
      signature: '85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead',
    },
  ];
  for (const { name, signed, signature, token: sessionToken, headers = {}, body = '' } of cases)
    test(name, async () => {
      const sign = signatureOf({ ...exampleKey, sessionToken }, { region: 'us-east-1', service: 'service' });
      const request = { method: 'POST', origin: 'https://example.amazonaws.com', path: '/', headers, body } as const;
      const { authorization } = await sign(request, new Date('2015-08-30T12:36:00Z'));
      const credential = 'AKIDEXAMPLE/20150830/us-east-1/service/aws4_request';
      const expected = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed}, Signature=${signature}`;
      assert.equal(authorization, expected);
    });
});

describe('options', () => {
  const key = { $secret: 'A' };
  const problemsOf = (options: object) =>
    schemaOf(bedrock.options)
      .safeParse({ region: 'eu-west-1', ...options })
      .error?.issues.map(({ path }) => path.join('.')) ?? [];

  test('name one way to show who asks, whole', () => {
    assert.deepEqual(problemsOf({ apiKey: key }), []);
    assert.deepEqual(problemsOf({ accessKeyId: key, secretAccessKey: key, sessionToken: key }), []);
    assert.deepEqual(problemsOf({ baseUrl: 'http://10.1.2.3' }), []);
    assert.deepEqual(problemsOf({}), ['apiKey']);
    assert.deepEqual(problemsOf({ accessKeyId: key }), ['secretAccessKey']);
    assert.deepEqual(problemsOf({ secretAccessKey: key }), ['accessKeyId']);
    assert.deepEqual(problemsOf({ apiKey: key, sessionToken: key }), ['sessionToken']);
    assert.deepEqual(problemsOf({ apiKey: key, accessKeyId: key, secretAccessKey: key }), ['accessKeyId']);
    assert.deepEqual(problemsOf({ apiKey: key, region: 'Frankfurt' }), ['region']);
  });

  test('say where requests go', () => {
    const { origin, apis } = bedrock.connect(
      schemaOf(bedrock.options).parse({ region: 'eu-west-1', apiKey: key }),
      () => 'k',
    );
    assert.equal(origin, 'https://bedrock-runtime.eu-west-1.amazonaws.com');
    const model = 'arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-lite-v1:0';
    const { path } = apis[0].address({ model });
    assert.equal(path, `/model/${encodeURIComponent(model)}/converse`);
    assert.equal(path.split('/').length, 4, 'the slash of an ARN is no slash of the path');
  });
});

/** The signature of a request that arrived, worked out after AWS's description alone. */
function expectedSignature({ path, headers, body }: Received, secret: string, scope: string): string {
  const names = (/SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? '').split(';');
  const canonicalHeaders = names.map((name) => `${name}:${String(headers[name])}\n`).join('');
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  // Every service but S3 has the segments of the path encoded once more.
  const encoded = path
    .split('/')
    .map((segment) => encodeURIComponent(segment))
    .join('/');
  const canonical = ['POST', encoded, '', canonicalHeaders, names.join(';'), sha256(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  return hmac(scope.split('/').reduce<string | Buffer>(hmac, `AWS4${secret}`), text).toString('hex');
}

describe('through the gateway', () => {
  const model = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
  const secrets = { BEDROCK_ID: 'AKIDTEST', BEDROCK_SECRET: 'secret-of-test', BEDROCK_TOKEN: 'token-of-test' };
  let next: readonly Buffer[] | 'refuse' = [];
  let upstream: ScriptedUpstream;
  let gateway: TestGateway;

  before(async () => {
    Object.assign(process.env, secrets);
    upstream = await startScripted(({ response }) => {
      if (next === 'refuse')
        return answerJson(response, 403, { message: 'The security token AKIDTEST secret-of-test is expired.' });
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
      response.end(Buffer.concat(next));
    });
    const reference = (name: string) => ({ $secret: name });
    const options = {
      region: 'us-east-1',
      baseUrl: upstream.url,
      accessKeyId: reference('BEDROCK_ID'),
      secretAccessKey: reference('BEDROCK_SECRET'),
      sessionToken: reference('BEDROCK_TOKEN'),
    };
    gateway = await startGateway(
      snapshotOf({
        providers: { aws: { kind: 'bedrock', options, models: { [model]: { contextWindow: 100_000 } } } },
        models: { chat: { targets: { kind: 'target', provider: 'aws', model } } },
      }),
    );
  });
  after(async () => {
    for (const name of Object.keys(secrets)) delete process.env[name];
    await gateway.close();
    await upstream.close();
  });

  const ask = async () => {
    const messages = [{ role: 'user', content: 'Grüße' }];
    return gateway.post('/v1/chat/completions', { model: 'chat', stream: true, messages });
  };
  const hello = [
    eventFrame('messageStart', { role: 'assistant' }),
    eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hello' } }),
  ];

  test('each request is signed, its path, type and token included', async () => {
    next = [...hello, eventFrame('messageStop', { stopReason: 'end_turn' })];
    const answer = await (await ask()).text();
    assert.match(answer, /Hello[^]*\[DONE\]/);
    const arrived = upstream.received.at(-1) ?? assert.fail();
    assert.equal(arrived.path, `/model/${encodeURIComponent(model)}/converse-stream`);
    assert.equal(arrived.headers.accept, 'application/vnd.amazon.eventstream');
    assert.equal(arrived.headers['x-amz-security-token'], 'token-of-test');
    const { authorization = '' } = arrived.headers;
    const [, scope = '', names, signature] =
      /Credential=AKIDTEST\/(.+), SignedHeaders=(.+), Signature=(.+)$/.exec(authorization) ?? [];
    assert.match(scope, /^\d{8}\/us-east-1\/bedrock\/aws4_request$/);
    assert.equal(names, 'content-type;host;x-amz-date;x-amz-security-token');
    assert.equal(signature, expectedSignature(arrived, 'secret-of-test', scope));
  });

  test('an exception before the first word is a failure, and after it an event', async () => {
    next = [hello[0] ?? assert.fail(), exceptionFrame('throttlingException', 'Too many tokens.')];
    assert.equal((await ask()).status, 429);
    next = [...hello, exceptionFrame('internalServerException', 'Oh.')];
    const text = await (await ask()).text();
    assert.match(text, /Hello[^]*upstream_broken_answer/);
    assert.doesNotMatch(text, /DONE|Oh\./);
  });

  test('bytes that were damaged on the way are no answer', async () => {
    const damaged = Buffer.concat(hello);
    damaged[60] = (damaged[60] ?? 0) ^ 1;
    next = [damaged];
    assert.equal((await ask()).status, 502);
  });

  test('a refused key is told without it', async () => {
    next = 'refuse';
    const response = await ask();
    const text = await response.text();
    assert.match(text, /upstream_credential_refused/);
    for (const secret of Object.values(secrets)) assert.ok(!text.includes(secret));
  });
});
