/** Settings for TLS and the files that they name: everything wrong is told at once, at the start, and never what a key is. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { readSettings, SettingsError } from '../../runtime/settings.ts';
import { Authority } from '../support/certificates.ts';
import { tlsFolder, type TlsFolder } from '../support/tls-stage.ts';

const day = 86_400_000;
const at = (days: number): Date => new Date(Date.now() + days * day);
const iso = (days: number): string => at(days).toISOString().slice(0, 10);
const ended = { from: at(-9), until: at(-2) };

const house = new Authority('House authority');
const good = house.server();
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const lock = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' } as const;

const files = {
  cert: good.certificate,
  key: good.key,
  ca: house.certificate,
  ended: house.server(ended).certificate,
  early: house.server({ from: at(2), until: at(9) }).certificate,
  otherkey: house.server().key,
  locked: String(privateKey.export(lock)),
  garbage: 'hello\n',
  empty: '',
  halved: good.certificate.replace(/.{40}\n-----END/, '\n-----END'),
  endedca: new Authority('Old authority', ended).certificate,
  bundle: new Authority('Old authority', ended).certificate + house.certificate,
};

let folder: TlsFolder;
before(async () => {
  folder = await tlsFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(folder.path(name), text);
});
after(() => folder.remove());

/** Names of files in `cert`, `key` and `ca`, and the mode. */
type Given = Partial<Record<'cert' | 'key' | 'client-ca' | 'client-auth', string>>;

const settingsFor = (given: Given) =>
  readSettings(
    [
      '--repo',
      '/srv/config',
      ...Object.entries(given).flatMap(([name, value]) => [
        `--tls-${name}`,
        name === 'client-auth' ? value : folder.path(value),
      ]),
    ],
    [],
    {},
  );

/** Paths without the folder, whose name is another each time. */
function problemsOf(given: Given): readonly string[] {
  try {
    settingsFor(given);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.problems.map((text) => text.replaceAll(`${folder.path('')}/`, ''));
  }
  return [];
}

const cert = (what: string) => `--tls-cert (or HEADGATE_TLS_CERT) ${what}`;
const key = (what: string) => `--tls-key (or HEADGATE_TLS_KEY) ${what}`;
const ca = (what: string) => `--tls-client-ca (or HEADGATE_TLS_CLIENT_CA) ${what}`;
const own = { cert: 'cert', key: 'key' };

const cases: Record<string, [Given, readonly string[]]> = {
  'a certificate and its key': [own, []],
  'an authority for clients': [{ ...own, 'client-ca': 'ca', 'client-auth': 'required' }, []],
  'a bundle with an authority that has ended': [{ ...own, 'client-ca': 'bundle' }, []],
  'no key': [{ cert: 'cert' }, ['--tls-cert needs --tls-key: say where the private key of the certificate lies']],
  'no certificate': [{ key: 'key' }, ['--tls-key needs --tls-cert: without it there is no TLS']],
  'only an authority for clients': [
    { 'client-ca': 'ca' },
    ['--tls-client-ca needs --tls-cert: without it there is no TLS'],
  ],
  'a demand for nobody knows whose certificates': [
    { ...own, 'client-auth': 'required' },
    ['--tls-client-auth needs --tls-client-ca: say whose client certificates are believed'],
  ],
  'a mode that is none': [
    { ...own, 'client-ca': 'ca', 'client-auth': 'on' },
    ['--tls-client-auth (or HEADGATE_TLS_CLIENT_AUTH) must be one of optional, required'],
  ],
  'files that are not there, all at once': [
    { cert: 'x', key: 'y', 'client-ca': 'z' },
    [cert('x cannot be read: ENOENT'), key('y cannot be read: ENOENT'), ca('z cannot be read: ENOENT')],
  ],
  'files that hold something else, all at once': [
    { cert: 'garbage', key: 'empty', 'client-ca': 'key' },
    [
      cert('garbage holds no certificate: write PEM, which begins with -----BEGIN CERTIFICATE-----'),
      key('empty holds no private key: write PEM, which begins with -----BEGIN PRIVATE KEY-----'),
      ca('key holds no certificate: write PEM, which begins with -----BEGIN CERTIFICATE-----'),
    ],
  ],
  'half a certificate': [
    { ...own, cert: 'halved' },
    [cert('halved holds a certificate that cannot be read: is the file whole?')],
  ],
  'a key with a passphrase': [
    { ...own, key: 'locked' },
    [key('locked is encrypted: nobody is there to type its passphrase; store it without one')],
  ],
  'the key of another': [{ ...own, key: 'otherkey' }, [key('otherkey does not fit the certificate in cert')]],
  'a certificate that has ended, and not its key': [
    { cert: 'ended', key: 'key' },
    [cert(`ended has expired on ${iso(-2)}: renew it`), key('key does not fit the certificate in ended')],
  ],
  'a certificate from the day after tomorrow': [
    { cert: 'early', key: 'otherkey' },
    [
      cert(`early is not valid before ${iso(2)}: is the clock right?`),
      key('otherkey does not fit the certificate in early'),
    ],
  ],
  'an authority that has ended': [
    { ...own, 'client-ca': 'endedca' },
    [ca(`endedca has expired on ${iso(-2)}: renew it`)],
  ],
  'a certificate that is no authority': [
    { ...own, 'client-ca': 'cert' },
    [ca('cert holds no authority as its certificate 1: it can sign no other')],
  ],
};

for (const [what, [given, problems]] of Object.entries(cases))
  test(`${what}: ${problems.length === 0 ? 'fine' : 'told at the start'}`, () =>
    assert.deepEqual(problemsOf(given), problems));

test('without them the data plane speaks plain HTTP, and a key does where a certificate may be left out', () => {
  assert.equal(settingsFor({}).tls, undefined);
  assert.equal(settingsFor(own).tls?.client, undefined);
  assert.equal(settingsFor({ ...own, 'client-ca': 'ca' }).tls?.client?.auth, 'optional');
});

test('no problem tells a word of what stands in a file', () => {
  const secrets = [files.key, files.otherkey, files.locked].flatMap((text) => text.trim().split('\n').slice(1, -1));
  for (const [given] of Object.values(cases))
    for (const problem of problemsOf(given)) for (const secret of secrets) assert.ok(!problem.includes(secret));
});
