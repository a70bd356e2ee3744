/** Flags and variables: every one is read, and everything wrong is told at once. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { isLoopback, readSettings, settingsHelp, SettingsError, type settingTable } from '../../runtime/settings.ts';

function problemsOf(
  flags: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  known: string[] = [],
): readonly string[] {
  try {
    readSettings(flags, known, environment);
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.problems;
  }
  return [];
}

/** Those of TLS only make sense together. */
type Lone = Exclude<keyof typeof settingTable, `tls-${string}`>;

/** A value of each setting that is not its fallback, and what it is read as. */
const every: Record<Lone, [written: string, field: string, read: unknown]> = {
  repo: ['https://git.test/x.git', 'repo', 'https://git.test/x.git'],
  ref: ['live', 'ref', 'live'],
  poll: ['5s', 'pollMs', 5_000],
  listen: ['[::]:8081', 'listen', { host: '::', port: 8081 }],
  admin: ['localhost:0', 'admin', { host: 'localhost', port: 0 }],
  'trusted-proxies': ['10.0.0.0/8,fd00::/8', 'trustedProxies', ['10.0.0.0/8', 'fd00::/8']],
  store: ['rediss://redis.test:6380', 'store', 'rediss://redis.test:6380'],
  ledger: ['./ledger', 'ledger', resolve('ledger')],
  'ledger-keep': ['401d', 'ledgerKeepMs', 401 * 86_400_000],
  'ledger-keep-sums': ['900d', 'ledgerKeepSumsMs', 900 * 86_400_000],
  'state-dir': ['state', 'stateDir', resolve('state')],
  signers: ['./signers', 'signers', resolve('signers')],
  audience: ['demo', 'audience', 'demo'],
  'git-token-file': ['/dev/null', 'gitTokenFile', '/dev/null'],
  'admin-token-file': ['/run/admin', 'adminTokenFile', '/run/admin'],
  bake: ['0s', 'bakeMs', 0],
  'bake-samples': ['7', 'bakeSamples', 7],
  'log-level': ['debug', 'logLevel', 'debug'],
  workers: ['3', 'workers', 3],
  drain: ['1m', 'drainMs', 60_000],
  'upstream-client': ['undici', 'upstreamClient', 'undici'],
  seed: ['./test', 'seed', resolve('test')],
  webhook: ['https://ops.test/in?key=1', 'webhook', 'https://ops.test/in?key=1'],
  'webhook-secret-file': ['/dev/null', 'webhookSecretFile', '/dev/null'],
  'commit-status': ['gitlab', 'commitStatus', 'gitlab'],
  'commit-status-url': ['https://api.git.test/x', 'commitStatusUrl', 'https://api.git.test/x'],
  'commit-status-context': ['gateway/live', 'commitStatusContext', 'gateway/live'],
  'commit-status-token-file': ['/dev/null', 'commitStatusTokenFile', '/dev/null'],
};
const variableOf = (name: string) => `HEADGATE_${name.toUpperCase().replaceAll('-', '_')}`;

describe('every setting', () => {
  for (const [name, [written, field, read]] of Object.entries(every))
    test(`--${name} is read from a flag, from a flag with =, and from ${variableOf(name)}`, () => {
      const base = name === 'repo' ? [] : ['--repo', '/srv/config'];
      const ways = [
        readSettings([...base, `--${name}`, written], [], {}),
        readSettings([...base, `--${name}=${written}`], [], {}),
        readSettings(base, [], { [variableOf(name)]: written }),
      ];
      for (const settings of ways) assert.deepEqual((settings as unknown as Record<string, unknown>)[field], read);
      assert.match(settingsHelp(), new RegExp(`--${name} `));
    });

  test('a flag stands above its variable', () => {
    assert.equal(readSettings(['--repo', '/x', '--poll', '2s'], [], { HEADGATE_POLL: '9s' }).pollMs, 2_000);
  });

  test('what is left out is as the help says', () => {
    const settings = readSettings(['--repo', 'team'], [], { PATH: '/bin' });
    assert.equal(settings.repo, resolve('team'));
    assert.deepEqual(
      [settings.pollMs, settings.bakeMs, settings.drainMs, settings.bakeSamples, settings.store],
      [30_000, 60_000, 30_000, 50, 'memory'],
    );
    assert.deepEqual([settings.listen.port, settings.admin.port], [8080, 9090]);
    assert.equal(settings.ref, 'headgate/compiled');
  });
});

describe('what is wrong', () => {
  test('is told all at once', () => {
    const problems = problemsOf(
      ['--bogus', '1', '--poll', 'soon', '--pol=3s', 'stray', '--listen', '8080', '--drain', '--log-level', 'loud'],
      { HEADGATE_BAKE: '-1s', HEADGATE_STORE: 'mysql://x', HEADGATE_TYPO: '1', HEADGATE_BAKE_SAMPLES: '1.5' },
    );
    const told = problems.join('\n');
    for (const word of [
      '--bogus',
      '--pol ',
      "'stray'",
      '--poll',
      '--listen',
      '--drain',
      '--log-level',
      '--bake',
      '--store',
    ])
      assert.ok(told.includes(word), `${word} in\n${told}`);
    for (const word of ['HEADGATE_TYPO', 'HEADGATE_BAKE_SAMPLES', '--repo (or HEADGATE_REPO) is missing'])
      assert.ok(told.includes(word), `${word} in\n${told}`);
    assert.equal(problems.length, 12);
  });

  test('an unknown flag does not hide the settings behind it', () => {
    assert.equal(problemsOf(['--bogus', '--repo', '/x', '--poll', '1s']).length, 1);
  });

  const wrong: Record<string, string[]> = {
    'a duration without a unit': ['--poll', '30'],
    'a poll that would hammer the server': ['--poll', '1ms'],
    'a duration that timers cannot hold': ['--poll', '30d'],
    'a drain time that timers cannot hold': ['--drain', '25d'],
    'a port out of range': ['--listen', '127.0.0.1:70000'],
    'an address without a port': ['--listen', '127.0.0.1'],
    'an empty value': ['--state-dir', ''],
    'an empty value after =': ['--ref='],
    'a value that is the next flag': ['--state-dir', '--seed', '/x'],
    'a number in another base': ['--bake-samples', '0x10'],
    'a level that is none': ['--log-level', 'verbose'],
    'a store of another kind': ['--store', 'postgres://x'],
    'a webhook that is no address': ['--webhook', 'ops'],
    'a webhook with a password': ['--webhook', 'https://me:hunter2@ops.test'],
    'a git host that is not known': ['--commit-status', 'svn'],
    'a flag with one dash': ['-p', '1'],
  };
  for (const [what, flags] of Object.entries(wrong))
    test(`refuses ${what}`, () => assert.notDeepEqual(problemsOf(['--repo', '/x', ...flags]), []));

  test('an empty variable is told, not taken for the working directory', () => {
    assert.match(problemsOf(['--repo', '/x'], { HEADGATE_STATE_DIR: '' }).join(), /HEADGATE_STATE_DIR is empty/);
  });

  test('no message repeats a password', () => {
    const leaky = ['--webhook', 'https://user:hunter2@x', '--commit-status-url', 'ftp://hunter2'];
    const told = problemsOf(['--store', 'https://user:hunter2@x', '--bogus=hunter2', ...leaky], {
      HEADGATE_NOPE: 'hunter2',
      HEADGATE_REPO: 'https://user:hunter2@git.test/x',
    }).join('\n');
    assert.doesNotMatch(told, /hunter2/);
  });
});

describe('variables of others', () => {
  test('what Kubernetes puts into a pod beside our services is let pass', () => {
    const environment = {
      HEADGATE_PORT: 'tcp://10.0.0.1:8080',
      HEADGATE_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
      HEADGATE_PORT_8080_TCP_ADDR: '10.0.0.1',
      HEADGATE_PORT_8080_TCP_PORT: '8080',
      HEADGATE_PORT_8080_TCP_PROTO: 'tcp',
      HEADGATE_SERVICE_HOST: '10.0.0.1',
      HEADGATE_SERVICE_PORT: '8080',
      HEADGATE_SERVICE_PORT_HTTP: '8080',
      HEADGATE_ADMIN_SERVICE_HOST: '10.0.0.2',
      HEADGATE_ADMIN_SERVICE_PORT: '9090',
      HEADGATE_ADMIN_PORT: 'tcp://10.0.0.2:9090',
      HEADGATE_ADMIN_PORT_9090_TCP: 'tcp://10.0.0.2:9090',
    };
    assert.deepEqual(problemsOf(['--repo', '/x'], environment), []);
  });

  test('a port that a person set is told', () => {
    assert.match(problemsOf(['--repo', '/x'], { HEADGATE_PORT: '8080' }).join(), /HEADGATE_PORT is no setting/);
  });

  test('what another part of the process reads is let pass', () => {
    assert.deepEqual(problemsOf(['--repo', '/x'], { HEADGATE_DEV_KEY: 'k' }, ['HEADGATE_DEV_KEY']), []);
  });
});

describe('the admin plane', () => {
  test('beyond loopback needs a token', () => {
    for (const address of ['0.0.0.0:9090', '[::]:9090', '10.0.0.1:9090', 'admin.test:9090', '127.evil.test:9090']) {
      assert.match(problemsOf(['--repo', '/x', '--admin', address]).join(), /needs --admin-token-file/, address);
      assert.deepEqual(problemsOf(['--repo', '/x', '--admin', address, '--admin-token-file', '/run/token']), []);
    }
    for (const address of ['127.0.0.1:0', '127.8.9.1:9090', 'localhost:9090', '[::1]:9090'])
      assert.deepEqual(problemsOf(['--repo', '/x', '--admin', address]), [], address);
    assert.equal(isLoopback({ host: '128.0.0.1', port: 1 }), false);
  });
});
