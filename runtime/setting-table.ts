/** Every setting of the process with its form, what it is without being given, and what it is for. */
import { logLevels } from './log.ts';

interface Setting {
  readonly value: string;
  readonly fallback: string | undefined;
  readonly help: string;
}

const setting = (value: string, fallback: string | undefined, help: string): Setting => ({ value, fallback, help });

/** Every setting by flag name: what `--help` prints and what the environment may hold. */
export const settingTable = {
  repo: setting('URL|DIR', undefined, 'git repository that holds the artifact branch'),
  ref: setting('BRANCH', 'headgate/compiled', 'artifact branch'),
  poll: setting('DURATION', '30s', 'time between two looks at the branch'),
  listen: setting('HOST:PORT', '127.0.0.1:8080', 'data plane'),
  'tls-cert': setting('FILE', undefined, 'makes the data plane speak TLS: its certificate and those above it, PEM'),
  'tls-key': setting('FILE', undefined, 'private key of that certificate, PEM. All three files are renewed in place'),
  'tls-client-ca': setting('FILE', undefined, 'asks clients for certificates, and believes those that these sign, PEM'),
  'tls-client-auth': setting(
    'MODE',
    'optional',
    'optional: a key will do instead; required: no certificate, no answer',
  ),
  admin: setting('HOST:PORT', '127.0.0.1:9090', 'admin plane; beyond loopback it needs --admin-token-file'),
  'trusted-proxies': setting(
    'RANGE,…',
    undefined,
    "addresses of proxies whose Forwarded or X-Forwarded-For says where a request comes from, such as '10.0.0.0/8'",
  ),
  store: setting(
    'DIR|URL',
    'memory',
    'quota counts: memory, a directory, or redis[s]://; HOST,HOST?cluster, or sentinels as HOST,HOST?sentinel=NAME',
  ),
  ledger: setting(
    'DIR|off',
    undefined,
    'writes down each call; without it in the directory of --store. With redis://, takes over the calls of all replicas',
  ),
  'ledger-keep': setting('DURATION', '90d', 'how long single calls are kept'),
  'ledger-keep-sums': setting('DURATION', '400d', 'how long hours and days of them added up are; as long at least'),
  'state-dir': setting('DIR', undefined, 'keeps the last good revision, so that a start needs no git'),
  signers: setting('FILE', undefined, 'allowed_signers: artifacts must be signed by one of its keys; read each time'),
  audience: setting('NAME', undefined, 'whose artifacts are served; without it, whose came first'),
  'git-token-file': setting('FILE', undefined, 'token for the git remote, read again at each poll'),
  'admin-token-file': setting('FILE', undefined, 'bearer token that the admin plane demands'),
  bake: setting('DURATION', '60s', 'how long a new revision is on trial'),
  'bake-samples': setting('NUMBER', '50', 'requests below which a trial proves nothing'),
  'log-level': setting('LEVEL', 'info', logLevels.join(', ')),
  workers: setting(
    'NUMBER',
    undefined,
    'processes that answer requests; without it, one for each CPU this one may use',
  ),
  drain: setting('DURATION', '30s', 'how long requests in flight may take after SIGTERM'),
  'upstream-client': setting(
    'own|undici',
    'own',
    'what carries plain requests to upstreams; undici is for an emergency',
  ),
  seed: setting('DIR', undefined, 'an artifact to start from without git'),
  webhook: setting('URL', undefined, 'told of each revision that is accepted, rolled back or held'),
  'webhook-secret-file': setting(
    'FILE',
    undefined,
    'signs it (Standard Webhooks): whsec_…, one a line; read each time',
  ),
  'commit-status': setting('HOST', undefined, 'shows the same on the commit: github, gitlab or gitea (Forgejo too)'),
  'commit-status-url': setting(
    'URL',
    undefined,
    'the repository in the API of that host; told from --repo if it can be',
  ),
  'commit-status-context': setting('NAME', undefined, 'name of that status; without it, headgate/ and the audience'),
  'commit-status-token-file': setting('FILE', undefined, 'token that may set it; without it, that for git'),
} as const satisfies Record<string, Setting>;

/** The settings as help text, one a line. */
export function settingsHelp(): string {
  return (Object.keys(settingTable) as (keyof typeof settingTable)[])
    .map((name) => {
      const { value, fallback, help } = settingTable[name];
      return `  --${`${name} ${value}`.padEnd(28)} ${help}${fallback ? ` (default ${fallback})` : ''}`;
    })
    .join('\n');
}
