/**
 * AWS's default chain against servers that answer as its documentation says: variables, shared files, web identity, container
 * and instance, and a role on top. Where the library looks is told by the vendor's own variables only.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { bedrock } from '../../runtime/providers/bedrock.ts';
import { CredentialUnavailable } from '../../runtime/providers/provider.ts';
import { snapshotOf, startGateway } from '../support/gateway.ts';
import {
  answerJson,
  deadUrl,
  startScripted,
  type Received,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

const key = { $secret: 'A' };
const chain = { chain: 'default' } as const;

test('the chain is asked for in words, and stands beside no key', () => {
  const problemsOf = (options: object) =>
    schemaOf(bedrock.options)
      .safeParse({ region: 'eu-west-1', ...options })
      .error?.issues.map(({ path }) => path.join('.')) ?? [];
  const roleArn = 'arn:aws:iam::123456789012:role/team/gateway';
  assert.deepEqual(problemsOf({ credentials: chain }), []);
  assert.deepEqual(problemsOf({ credentials: { ...chain, profile: 'prod', roleArn, externalId: 'x-1' } }), []);
  assert.deepEqual(problemsOf({}), ['apiKey']);
  assert.deepEqual(problemsOf({ credentials: {} }), ['credentials.chain']);
  assert.deepEqual(problemsOf({ credentials: chain, apiKey: key }), ['credentials']);
  assert.deepEqual(problemsOf({ credentials: chain, apiKeys: [key] }), ['credentials']);
  assert.deepEqual(problemsOf({ credentials: chain, accessKeyId: key, secretAccessKey: key }), ['credentials']);
  assert.deepEqual(problemsOf({ credentials: { ...chain, externalId: 'x-1' } }), ['credentials.externalId']);
  assert.deepEqual(problemsOf({ credentials: { ...chain, roleArn: 'role/x' } }), ['credentials.roleArn']);
  assert.deepEqual(problemsOf({ credentials: { ...chain, secretAccessKey: 'x' } }), ['credentials']);
});

describe('a credential is found', () => {
  const patient = new AbortController().signal;
  const request = {
    method: 'POST',
    origin: 'https://bedrock-runtime.eu-west-1.amazonaws.com',
    path: '/model/m/converse',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  } as const;
  let folder: string;
  let aws: ScriptedUpstream;
  let answers: (received: Received) => void = answer;
  let before_: NodeJS.ProcessEnv;

  /** Of a key that is good for an hour. */
  const ending = () => new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, '');

  /** docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and API_AssumeRoleWithWebIdentity.html, "Sample Response" */
  const assumed = (action: string, id: string) =>
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>` +
    `<AccessKeyId>${id}</AccessKeyId><SecretAccessKey>hush-role</SecretAccessKey><SessionToken>session-${id}</SessionToken>` +
    `<Expiration>${ending()}</Expiration></Credentials></${action}Result></${action}Response>`;

  function answer({ path, body, response }: Received): void {
    const end = { SecretAccessKey: 'hush-machine', Token: 'session-token', Expiration: ending() };
    // docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
    if (path === '/latest/api/token') return void response.end('imds-token');
    if (path === '/latest/meta-data/iam/security-credentials/') return void response.end('role-of-instance');
    if (path === '/latest/meta-data/iam/security-credentials/role-of-instance')
      return answerJson(response, 200, { Code: 'Success', Type: 'AWS-HMAC', AccessKeyId: 'AKINSTANCE', ...end });
    // docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
    if (path === '/v1/credentials') return answerJson(response, 200, { AccessKeyId: 'AKCONTAINER', ...end });
    const action = new URLSearchParams(body).get('Action') ?? '';
    response.setHeader('content-type', 'text/xml');
    response.end(assumed(action, action === 'AssumeRole' ? 'AKROLE' : 'AKWEB'));
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aws-chain-'));
    await writeFile(
      join(folder, 'credentials'),
      '[default]\naws_access_key_id = AKFILE\naws_secret_access_key = hush-file\n' +
        '[prod]\naws_access_key_id = AKPROD\naws_secret_access_key = hush-prod\n',
    );
    const line = JSON.stringify({ Version: 1, AccessKeyId: 'AKPROCESS', SecretAccessKey: 'hush-process' });
    await writeFile(join(folder, 'printed'), line);
    await writeFile(join(folder, 'config'), `[profile tool]\ncredential_process = cat ${join(folder, 'printed')}\n`);
    await writeFile(join(folder, 'web-token'), 'token-of-cluster');
    await writeFile(join(folder, 'pod-token'), 'token-of-pod');
    aws = await startScripted((received) => answers(received));
    before_ = { ...process.env };
  });
  afterEach(() => {
    answers = answer;
    process.env = { ...before_ };
  });
  after(async () => {
    await aws.close();
    await rm(folder, { recursive: true });
  });

  /** Nothing of this machine's own is found. */
  function onlyThere(variables: Readonly<Record<string, string>>): void {
    const kept = Object.entries(before_).filter(([name]) => !name.startsWith('AWS_'));
    const nowhere = join(folder, 'absent');
    const files = { AWS_SHARED_CREDENTIALS_FILE: nowhere, AWS_CONFIG_FILE: nowhere };
    const quick = { AWS_EC2_METADATA_DISABLED: 'true', AWS_ENDPOINT_URL_STS: aws.url, AWS_MAX_ATTEMPTS: '1' };
    process.env = { ...Object.fromEntries(kept), ...files, ...quick, ...variables };
  }

  function signerOf(options: object = {}) {
    const chosen = schemaOf(bedrock.options).parse({ region: 'eu-west-1', credentials: { ...chain, ...options } });
    const { authorize = assert.fail } = bedrock.connect(chosen, () => assert.fail('no secret is read'));
    return () => authorize(request, patient);
  }
  const idIn = ({ authorization = '' }: Readonly<Record<string, string>>) =>
    /Credential=(\w+)\/\d{8}\/eu-west-1\/bedrock\//.exec(authorization)?.[1];
  const since = async (run: () => Promise<unknown>) => {
    const { length } = aws.received;
    await run();
    return aws.received.slice(length);
  };
  const files = () => ({
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_CONFIG_FILE: join(folder, 'config'),
  });

  test('in variables', async () => {
    onlyThere({ AWS_ACCESS_KEY_ID: 'AKVARIABLE', AWS_SECRET_ACCESS_KEY: 'hush', AWS_SESSION_TOKEN: 't' });
    const signed = await signerOf()();
    assert.deepEqual([idIn(signed), signed['x-amz-security-token']], ['AKVARIABLE', 't']);
  });

  test('in shared files, by profile and by a process that prints one', async () => {
    onlyThere({ ...files(), AWS_ACCESS_KEY_ID: 'AKVARIABLE', AWS_SECRET_ACCESS_KEY: 'hush' });
    assert.equal(idIn(await signerOf({ profile: 'prod' })()), 'AKPROD');
    assert.equal(idIn(await signerOf({ profile: 'tool' })()), 'AKPROCESS');
    onlyThere(files());
    assert.equal(idIn(await signerOf()()), 'AKFILE');
    const other = { ...files(), AWS_SHARED_CREDENTIALS_FILE: join(folder, 'changing') };
    onlyThere(other);
    for (const id of ['AKOLD', 'AKNEW']) {
      const text = `[default]\naws_access_key_id = ${id}\naws_secret_access_key = hush\n`;
      await writeFile(other.AWS_SHARED_CREDENTIALS_FILE, text);
      assert.equal(idIn(await signerOf()()), id, 'a file is read anew');
    }
  });

  test('for a web identity, at the security token service', async () => {
    const web = { AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'web-token'), AWS_ROLE_ARN: 'arn:aws:iam::1:role/pod' };
    onlyThere(web);
    const asked = await since(async () => assert.equal(idIn(await signerOf()()), 'AKWEB'));
    const form = new URLSearchParams(asked[0]?.body);
    assert.deepEqual(
      [form.get('Action'), form.get('WebIdentityToken'), form.get('RoleArn')],
      ['AssumeRoleWithWebIdentity', 'token-of-cluster', web.AWS_ROLE_ARN],
    );
  });

  test('in a container', async () => {
    onlyThere({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: join(folder, 'pod-token'),
    });
    const asked = await since(async () => assert.equal(idIn(await signerOf()()), 'AKCONTAINER'));
    assert.equal(asked[0]?.headers.authorization, 'token-of-pod');
  });

  test('on an instance, by the second version of its metadata service, once for all', async () => {
    onlyThere({ AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url, AWS_EC2_METADATA_DISABLED: 'false' });
    const sign = signerOf();
    const asked = await since(async () => {
      const all = await Promise.all([sign(), sign(), sign()]);
      assert.deepEqual([...all, await sign()].map(idIn), Array(4).fill('AKINSTANCE'));
    });
    assert.equal(asked.length, 3);
    assert.equal(asked[2]?.headers['x-aws-ec2-metadata-token'], 'imds-token');
  });

  test('not on an instance that has the first version only', async () => {
    onlyThere({ AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.url, AWS_EC2_METADATA_DISABLED: 'false' });
    answers = (received) => {
      if (received.path !== '/latest/api/token') return answer(received);
      received.response.writeHead(404);
      received.response.end();
    };
    await assert.rejects(signerOf()(), CredentialUnavailable);
  });

  test('as a role, which is assumed with what the chain found', async () => {
    onlyThere({ ...files() });
    const roleArn = 'arn:aws:iam::123456789012:role/gateway';
    const sign = signerOf({ profile: 'prod', roleArn, externalId: 'x-1' });
    const asked = await since(async () => {
      const signed = await sign();
      assert.deepEqual([idIn(signed), signed['x-amz-security-token']], ['AKROLE', 'session-AKROLE']);
      assert.equal(idIn(await sign()), 'AKROLE');
    });
    assert.equal(asked.length, 1);
    const form = new URLSearchParams(asked[0]?.body);
    assert.deepEqual(
      ['Action', 'RoleArn', 'ExternalId', 'RoleSessionName'].map((name) => form.get(name)),
      ['AssumeRole', roleArn, 'x-1', 'headgate'],
    );
    assert.match(asked[0]?.headers.authorization ?? '', /Credential=AKPROD\/\d+\/eu-west-1\/sts\//);
  });

  test('or not, which is told with the place and the cure, and with no secret', async () => {
    const fails = async (options: object, name: string, pattern: RegExp) =>
      assert.rejects(signerOf(options)(), (error: Error) => {
        assert.equal(error.name, name);
        assert.match(error.message, pattern);
        assert.doesNotMatch(error.message, /hush|AKPROD|token-of/);
        return true;
      });
    onlyThere({});
    await fails({}, 'CredentialUnavailable', /no credential, looked for in the shared files: give the gateway/);
    await fails({ profile: 'absent' }, 'CredentialUnavailable', /looked for in the profile 'absent' of the shared/);
    const roleArn = 'arn:aws:iam::123456789012:role/gateway';
    onlyThere({ ...files() });
    answers = ({ response }) => {
      response.writeHead(403, { 'content-type': 'text/xml' });
      response.end(
        '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>hush AKPROD</Message></Error></ErrorResponse>',
      );
    };
    await fails(
      { profile: 'prod', roleArn },
      'CredentialUnavailable',
      /session of the role arn:\S+ \(AccessDenied\): let/,
    );
    onlyThere({ AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'web-token'), AWS_ROLE_ARN: roleArn });
    await fails({}, 'CredentialUnavailable', /\(AccessDenied\), looked for in the web identity of AWS_WEB_IDENTITY/);
    onlyThere({ ...files(), AWS_ENDPOINT_URL_STS: await deadUrl() });
    await fails({ profile: 'prod', roleArn }, 'Error', /session of the role/);
  });

  test('that soon ends is asked for anew, before a request goes out with it', async () => {
    onlyThere({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${aws.url}/v1/credentials` });
    let asked = 0;
    answers = ({ response }) => {
      asked += 1;
      const end = new Date(Date.now() + (asked === 1 ? 20_000 : 3_600_000)).toISOString();
      const key = { AccessKeyId: `AK${asked}`, SecretAccessKey: 'hush', Token: 't', Expiration: end };
      answerJson(response, 200, key);
    };
    const sign = signerOf();
    const ids = [];
    for (let round = 0; round < 3; round += 1) ids.push(idIn(await sign()));
    assert.deepEqual([ids, asked], [['AK1', 'AK2', 'AK2'], 2]);
  });

  test('and signs what the gateway sends; where there is none, its client is told so and nothing more', async (context) => {
    const vendor = await startScripted(({ response }) => {
      const message = { role: 'assistant', content: [{ text: 'fine' }] };
      const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
      answerJson(response, 200, { output: { message }, stopReason: 'end_turn', usage });
    });
    context.after(() => vendor.close());
    const options = { region: 'eu-west-1', baseUrl: vendor.url, credentials: chain };
    const target = { kind: 'target' as const, provider: 'cloud', model: 'm' };
    const models = { m: { contextWindow: 100_000, maxOutputTokens: 1_000 } };
    const gateway = await startGateway(
      snapshotOf({
        providers: {
          cloud: { kind: 'bedrock', options, models },
          other: { kind: 'bedrock', options: { ...options, credentials: { ...chain, profile: 'absent' } }, models },
        },
        models: { found: { targets: target }, absent: { targets: { ...target, provider: 'other' } } },
      }),
    );
    context.after(() => gateway.close());
    onlyThere(files());
    const ask = (model: string) =>
      gateway.post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }] });
    assert.equal((await ask('found')).status, 200);
    assert.equal(idIn({ authorization: vendor.received[0]?.headers.authorization ?? '' }), 'AKFILE');
    const refused = await (await ask('absent')).text();
    assert.match(refused, /upstream_credential_refused/);
    assert.doesNotMatch(refused, /hush|AKFILE|profile/);
    assert.equal(vendor.received.length, 1);
  });
});
