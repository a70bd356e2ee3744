/** Identities that Azure and Google give a workload, against servers that answer as their documentation says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, createHash, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { azure } from '../../runtime/providers/azure.ts';
import type { Connection } from '../../runtime/providers/provider.ts';
import { vertex } from '../../runtime/providers/vertex.ts';
import { answerJson, startScripted, type Received, type ScriptedUpstream } from '../support/scripted-upstream.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

const key = { $secret: 'A' };
const application = { tenant: 'tenant-1', clientId: 'client-1' };
const patient = new AbortController().signal;
const names = [
  'IDENTITY_ENDPOINT',
  'IDENTITY_HEADER',
  'AZURE_POD_IDENTITY_AUTHORITY_HOST',
  'AZURE_FEDERATED_TOKEN_FILE',
  'GOOGLE_APPLICATION_CREDENTIALS',
  'GCE_METADATA_HOST',
];

let folder: string;
let cloud: ScriptedUpstream;
let answers: (received: Received) => void = answer;

function answer({ path, number, response }: Received): void {
  // Apps are told when a token ends, machines and applications how long it is good; both as text.
  const end = { expires_on: String(Math.floor(Date.now() / 1000) + 3600) };
  const lifetime = path.startsWith('/msi') ? end : { expires_in: '3599', ...end };
  if (path.includes(':generateAccessToken'))
    return answerJson(response, 200, {
      accessToken: 'of-account',
      expireTime: new Date(Date.now() + 9e5).toISOString(),
    });
  if (path === '/subject') return answerJson(response, 200, { id_token: 'from-url' });
  answerJson(response, 200, { access_token: `token-${number}`, token_type: 'Bearer', ...lifetime });
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'identities-'));
  await writeFile(join(folder, 'cluster-token'), 'from-cluster\n');
  cloud = await startScripted((received) => answers(received));
  for (const name of names) assert.equal(process.env[name], undefined, `${name} is set where tests run`);
});
afterEach(() => {
  answers = answer;
  for (const name of names) delete process.env[name];
});
after(async () => {
  await cloud.close();
  await rm(folder, { recursive: true });
});

const tokenOf = async ({ authorize = assert.fail }: Connection): Promise<string | undefined> =>
  (await authorize({ method: 'POST', origin: '', path: '', headers: {}, body: '' }, patient))['authorization'];

async function asked(connection: Connection, count = 1): Promise<readonly Received[]> {
  const { length } = cloud.received;
  const token = await tokenOf(connection);
  assert.equal(await tokenOf(connection), token, 'it is kept');
  const questions = cloud.received.slice(length);
  assert.equal(questions.length, count);
  assert.match(token ?? '', /^Bearer (token-\d+|of-account)$/);
  return questions;
}

const fails = async (connection: Connection, pattern: RegExp) =>
  assert.rejects(tokenOf(connection), (error: Error) => {
    assert.equal(error.name, 'CredentialUnavailable');
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /hush|from-cluster/);
    return true;
  });

describe('Entra ID', () => {
  const baseUrl = 'https://r.openai.azure.com/openai/v1';
  const connect = (entra: object, secret = 'hush') =>
    azure.connect(schemaOf(azure.options).parse({ baseUrl, entra }), () => secret);

  test('is shown one thing, and all that goes with it', () => {
    const problemsOf = (entra: object) =>
      schemaOf(azure.options)
        .safeParse({ baseUrl, entra })
        .error?.issues.map(({ path }) => path.slice(1).join('.')) ?? [];
    for (const way of [{ clientSecret: key }, { certificate: key }, { workloadIdentity: true }]) {
      assert.deepEqual(problemsOf({ ...application, ...way }), []);
      assert.deepEqual(problemsOf(way), ['tenant', 'clientId']);
    }
    assert.deepEqual(problemsOf({ managedIdentity: true }), []);
    assert.deepEqual(problemsOf({ managedIdentity: true, clientId: 'client-1' }), []);
    assert.deepEqual(problemsOf({ managedIdentity: true, tenant: 't' }), ['tenant']);
    assert.deepEqual(problemsOf(application), ['clientSecret']);
    assert.deepEqual(problemsOf({ ...application, clientSecret: key, certificate: key }), ['certificate']);
    assert.deepEqual(problemsOf({ ...application, workloadIdentity: true, managedIdentity: true }), [
      'managedIdentity',
    ]);
    assert.deepEqual(problemsOf({ ...application, certificate: 'PEM' }), ['certificate']);
  });

  test('takes a statement that is signed with the certificate’s key', async (context) => {
    const missing = skipWithout(tools.openssl);
    if (missing) return context.skip(missing);
    const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const files = ['-keyout', keyFile, '-out', certificateFile];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=app', ...files], {
      stdio: 'ignore',
    });
    const [privateKey, pem] = await Promise.all([readFile(keyFile, 'utf8'), readFile(certificateFile, 'utf8')]);
    const certificate = new X509Certificate(pem);
    const tokenUrl = `${cloud.url}/tenant-1/oauth2/v2.0/token`;
    const entra = { ...application, certificate: key, tokenUrl };
    const [question = assert.fail()] = await asked(connect(entra, Buffer.from(privateKey + pem).toString('base64')));
    const { client_assertion: statement = '', ...form } = Object.fromEntries(new URLSearchParams(question.body));
    assert.deepEqual(form, {
      grant_type: 'client_credentials',
      client_id: 'client-1',
      scope: 'https://cognitiveservices.azure.com/.default',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    const [header = '', claims = '', signature = ''] = statement.split('.');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url');
    assert.deepEqual(read(header), { alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint });
    const { jti, nbf, iat, exp, ...who } = read(claims);
    assert.deepEqual(who, { iss: 'client-1', sub: 'client-1', aud: tokenUrl });
    assert.deepEqual([Number(exp) - Number(nbf), iat, String(jti).length], [600, nbf, 36]);
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const said = Buffer.from(`${header}.${claims}`);
    assert.ok(verify('sha256', said, { key: certificate.publicKey, ...padding }, Buffer.from(signature, 'base64url')));
    await fails(connect(entra), /entra\.certificate is no PEM file/);
    await fails(connect(entra, Buffer.from(pem).toString('base64')), /entra\.certificate is no PEM file/);
  });

  test('takes the token of a cluster, read anew each time', async () => {
    process.env['AZURE_FEDERATED_TOKEN_FILE'] = join(folder, 'cluster-token');
    const entra = { ...application, workloadIdentity: true, tokenUrl: `${cloud.url}/token` };
    const [question = assert.fail()] = await asked(connect(entra));
    const form = new URLSearchParams(question.body);
    assert.equal(form.get('client_assertion'), 'from-cluster');
    assert.equal(form.get('client_assertion_type'), 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    process.env['AZURE_FEDERATED_TOKEN_FILE'] = join(folder, 'absent');
    await fails(connect(entra), /AZURE_FEDERATED_TOKEN_FILE cannot be read \(ENOENT\)/);
    delete process.env['AZURE_FEDERATED_TOKEN_FILE'];
    await fails(connect(entra), /AZURE_FEDERATED_TOKEN_FILE is not set.*label the pod/);
  });

  test('knows a machine by its metadata service', async () => {
    process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] = `${cloud.url}/`;
    const [question = assert.fail()] = await asked(connect({ managedIdentity: true, clientId: 'client-1' }));
    const { pathname, searchParams } = new URL(question.path, cloud.url);
    assert.equal(pathname, '/metadata/identity/oauth2/token');
    assert.deepEqual(Object.fromEntries(searchParams), {
      'api-version': '2018-02-01',
      resource: 'https://cognitiveservices.azure.com',
      client_id: 'client-1',
    });
    assert.equal(question.headers['metadata'], 'true');
    answers = ({ response }) =>
      answerJson(response, 400, { error: 'invalid_request', error_description: 'Identity not found' });
    await fails(connect({ managedIdentity: true }), /refused a token with status 400 \(invalid_request\)/);
  });

  test('knows an app by the header that it was given', async () => {
    process.env['IDENTITY_ENDPOINT'] = `${cloud.url}/msi/token`;
    process.env['IDENTITY_HEADER'] = 'header-of-app';
    const [question = assert.fail()] = await asked(connect({ managedIdentity: true }));
    assert.equal(question.headers['x-identity-header'], 'header-of-app');
    assert.equal(question.path, '/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com');
    process.env['IDENTITY_ENDPOINT'] = 'nowhere';
    await fails(connect({ managedIdentity: true }), /IDENTITY_ENDPOINT is no URL/);
  });
});

describe('Google Cloud', () => {
  const place = { project: 'my-project', location: 'global' };
  const chain = { chain: 'default' };
  const connect = (options: object = {}) =>
    vertex.connect(schemaOf(vertex.options).parse({ ...place, credentials: chain, ...options }), () => 'hush');
  async function credentialsAre(content: unknown): Promise<void> {
    const file = join(folder, 'application.json');
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
  }
  const external = (source: object, more: object = {}) => ({
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${cloud.url}/v1/token`,
    credential_source: source,
    ...more,
  });

  test('is asked for what the environment says only where that is said', () => {
    const problemsOf = (options: object) =>
      schemaOf(vertex.options)
        .safeParse({ ...place, ...options })
        .error?.issues.map(({ path }) => path.join('.')) ?? [];
    assert.deepEqual(problemsOf({ credentials: chain }), []);
    assert.deepEqual(problemsOf({}), ['serviceAccount']);
    assert.deepEqual(problemsOf({ credentials: chain, serviceAccount: key }), ['credentials']);
    assert.deepEqual(problemsOf({ credentials: chain, metadataServer: true }), ['credentials']);
    assert.deepEqual(problemsOf({ credentials: {} }), ['credentials.chain']);
  });

  test('knows a machine by its metadata server', async () => {
    process.env['GCE_METADATA_HOST'] = new URL(cloud.url).host;
    for (const options of [{}, { credentials: undefined, metadataServer: true }]) {
      const [question = assert.fail()] = await asked(connect(options));
      assert.equal(question.path, '/computeMetadata/v1/instance/service-accounts/default/token');
      assert.equal(question.headers['metadata-flavor'], 'Google');
    }
  });

  test('takes a service account’s key from a file', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    await credentialsAre({ type: 'service_account', client_email: 'gateway@p.example', private_key: pem });
    const [question = assert.fail()] = await asked(connect({ tokenUrl: `${cloud.url}/token` }));
    const [, claims = ''] = (new URLSearchParams(question.body).get('assertion') ?? '').split('.');
    assert.match(Buffer.from(claims, 'base64url').toString(), /"iss":"gateway@p\.example"/);
  });

  test('exchanges what another issuer says of the workload', async () => {
    await credentialsAre(external({ file: join(folder, 'cluster-token') }));
    const [question = assert.fail()] = await asked(connect());
    assert.deepEqual(Object.fromEntries(new URLSearchParams(question.body)), {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      subject_token: 'from-cluster',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    });
  });

  test('and that for a service account’s token, where one is named', async () => {
    const format = { type: 'json', subject_token_field_name: 'id_token' };
    const as = `${cloud.url}/v1/projects/-/serviceAccounts/a:generateAccessToken`;
    const source = { url: `${cloud.url}/subject`, headers: { 'metadata-flavor': 'Other' }, format };
    await credentialsAre(external(source, { service_account_impersonation_url: as }));
    const [subject, exchange, impersonation] = await asked(connect(), 3);
    assert.equal(subject?.headers['metadata-flavor'], 'Other');
    assert.equal(new URLSearchParams(exchange?.body).get('subject_token'), 'from-url');
    assert.match(impersonation?.headers.authorization ?? '', /^Bearer token-\d+$/);
    assert.deepEqual(impersonation?.json, { scope: ['https://www.googleapis.com/auth/cloud-platform'] });
  });

  test('tells what it cannot take, and nothing of it', async () => {
    const odd: readonly (readonly [unknown, RegExp])[] = [
      ['hush', /GOOGLE_APPLICATION_CREDENTIALS is neither/],
      [{ type: 'authorized_user', refresh_token: 'hush' }, /other types are not spoken/],
      [{ type: 'service_account', private_key: 'hush' }, /GOOGLE_APPLICATION_CREDENTIALS is no JSON key/],
      [external({ environment_id: 'aws1' }), /neither a file nor a URL/],
      [external({ file: join(folder, 'absent') }), /cannot be read \(ENOENT\)/],
      [
        external({ file: 'x' }, { token_url: 'http://sts.example.com/token' }),
        /no external account with a file or URL/,
      ],
      [external({ url: `${cloud.url}/subject`, format: { type: 'json' } }), /points at is not there/],
    ];
    for (const [content, pattern] of odd) {
      await credentialsAre(content);
      await fails(connect(), pattern);
    }
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = join(folder, 'nowhere');
    await fails(connect(), /GOOGLE_APPLICATION_CREDENTIALS cannot be read \(ENOENT\)/);
  });
});
