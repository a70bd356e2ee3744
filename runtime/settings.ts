/** The process's own settings: flags, or the same as `HEADGATE_…`. Anything unknown or wrong is an error at start, all at once. */
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import { addressRange } from './address-ranges.ts';
import { parseDuration } from './parse-duration.ts';
import { addressFrom, gatherFlags, gatherVariables, isReadable, variableOf } from './given-settings.ts';
import type { Address } from './listener.ts';
import { logLevels, type LogLevel } from './log.ts';
import { settingTable } from './setting-table.ts';
import { tlsFrom } from './tls/files.ts';
import type { TlsFiles } from './tls/material.ts';

export interface Settings {
  /** Git remote (https or http) or an absolute directory; undefined: serve `seed` only. */
  readonly repo: string | undefined;
  readonly ref: string;
  readonly pollMs: number;
  readonly listen: Address;
  /** Undefined: the data plane speaks plain HTTP. */
  readonly tls: TlsFiles | undefined;
  readonly admin: Address;
  /** Ranges of proxies whose word on the client's address is taken. */
  readonly trustedProxies: readonly string[];
  /** `memory`, a directory, or a Redis URL. */
  readonly store: string;
  /** Where calls are written down: a directory, or `off`; undefined: beside the counts. */
  readonly ledger: string | undefined;
  readonly ledgerKeepMs: number;
  readonly ledgerKeepSumsMs: number;
  /** Where what proved itself is kept; undefined: in memory only. */
  readonly stateDir: string | undefined;
  /** File of the keys that may sign artifacts; undefined: unsigned artifacts run. */
  readonly signers: string | undefined;
  /** Whose artifacts are served; undefined: whose came first. */
  readonly audience: string | undefined;
  readonly gitTokenFile: string | undefined;
  readonly adminTokenFile: string | undefined;
  readonly bakeMs: number;
  readonly bakeSamples: number;
  readonly logLevel: LogLevel;
  /** Processes that answer requests; 1: this one. */
  readonly workers: number;
  readonly drainMs: number;
  /** What carries plain requests to upstreams. */
  readonly upstreamClient: UpstreamClient;
  /** Directory of an artifact to start from without git. */
  readonly seed: string | undefined;
  /** Where word of revisions is sent; undefined: nowhere. */
  readonly webhook: string | undefined;
  readonly webhookSecretFile: string | undefined;
  /** The git host that shows what became of a commit; undefined: none. */
  readonly commitStatus: GitHost | undefined;
  /** The repository in the API of that host; undefined: told from `repo`. */
  readonly commitStatusUrl: string | undefined;
  readonly commitStatusContext: string | undefined;
  readonly commitStatusTokenFile: string | undefined;
}

export { settingsHelp, settingTable } from './setting-table.ts';

/** `undici`: also for plain requests. */
export type UpstreamClient = 'own' | 'undici';
const upstreamClients: readonly UpstreamClient[] = ['own', 'undici'];

export type GitHost = 'github' | 'gitlab' | 'gitea';
const gitHosts: readonly GitHost[] = ['github', 'gitlab', 'gitea'];

export class SettingsError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

type Name = keyof typeof settingTable;
const names = Object.keys(settingTable) as Name[];

const mostWorkers = 256;
const dayMs = 86_400_000;
/** Timers of the platform overflow soon after, and would fire at once. */
const longest = 20 * dayMs;

export function isLoopback({ host }: Address): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** `known` names variables that another part of the process reads. Throws `SettingsError` with every problem. */
export function readSettings(
  flags: readonly string[],
  known: readonly string[] = [],
  environment: NodeJS.ProcessEnv = process.env,
): Settings {
  const problems: string[] = [];
  const gathered = { names, given: new Map<Name, string>(), problems };
  const { given } = gathered;
  gatherVariables(environment, known, gathered);
  gatherFlags(flags, gathered);
  const text = (name: Name): string => given.get(name) ?? settingTable[name].fallback ?? '';
  const wrong = (name: Name, wanted: string) =>
    void problems.push(`--${name} (or ${variableOf(name)}) must be ${wanted}; it is '${text(name)}'`);

  const durationOf = (name: Name, least: number, most = longest): number => {
    const ms = parseDuration(text(name));
    if (ms === undefined || ms < least || ms > most)
      wrong(name, `a duration such as '30s', from ${least}ms to ${most / dayMs}d`);
    return ms ?? least;
  };
  const addressOf = (name: Name): Address => {
    const address = addressFrom(text(name));
    if (!address) wrong(name, 'HOST:PORT');
    return address ?? { host: '127.0.0.1', port: 0 };
  };
  const directory = (name: Name): string | undefined => (given.has(name) ? resolve(text(name)) : undefined);
  /** Something that must be there already. */
  const existing = (name: Name): string | undefined => {
    const path = directory(name);
    if (path !== undefined && !isReadable(path)) wrong(name, 'something that can be read');
    return path;
  };

  /** The value stays out of the message: it may be a secret. */
  const address = (name: Name): string | undefined => {
    if (!given.has(name)) return undefined;
    const url = URL.canParse(text(name)) ? new URL(text(name)) : undefined;
    if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '')
      problems.push(`--${name} (or ${variableOf(name)}) must be an https:// address, without credentials or fragment`);
    return text(name);
  };

  const isRedis = /^rediss?:\/\//.test(text('store'));
  if (!isRedis && /^[a-z]+:\/\//i.test(text('store')))
    problems.push('--store (or HEADGATE_STORE) must be memory, a directory, or a redis:// or rediss:// URL');
  const repo = given.has('repo') ? text('repo') : undefined;
  if (repo === undefined && !given.has('seed'))
    problems.push(
      '--repo (or HEADGATE_REPO) is missing: say which git repository holds the artifact branch, or start from a --seed',
    );
  const samples = Number(text('bake-samples'));
  if (!/^\d{1,9}$/.test(text('bake-samples'))) wrong('bake-samples', 'a whole number from 0');
  const workers = given.has('workers') ? Number(text('workers')) : availableParallelism();
  if (!Number.isInteger(workers) || workers < 1 || workers > mostWorkers)
    wrong('workers', `a whole number from 1 to ${mostWorkers}`);
  const logLevel = logLevels.find((level) => level === text('log-level'));
  if (!logLevel) wrong('log-level', `one of ${logLevels.join(', ')}`);
  const upstreamClient = upstreamClients.find((client) => client === text('upstream-client'));
  if (!upstreamClient) wrong('upstream-client', `one of ${upstreamClients.join(', ')}`);
  const admin = addressOf('admin');
  if (!isLoopback(admin) && !given.has('admin-token-file'))
    problems.push('--admin listens beyond loopback: that needs --admin-token-file');

  const trustedProxies = given.get('trusted-proxies')?.split(',') ?? [];
  if (!trustedProxies.every((text) => addressRange(text)))
    wrong('trusted-proxies', 'ranges such as 10.0.0.0/8,fd00::/8');
  const commitStatus = gitHosts.find((host) => host === given.get('commit-status'));
  if (given.has('commit-status') && !commitStatus) wrong('commit-status', `one of ${gitHosts.join(', ')}`);

  const settings: Settings = {
    repo: repo !== undefined && !/^[a-z+.-]+:\/\/|@/i.test(repo) && !isAbsolute(repo) ? resolve(repo) : repo,
    ref: text('ref'),
    pollMs: durationOf('poll', 100),
    listen: addressOf('listen'),
    tls: tlsFrom(given, problems),
    admin,
    trustedProxies,
    store: isRedis || text('store') === 'memory' ? text('store') : resolve(text('store')),
    ledger: text('ledger') === 'off' ? 'off' : directory('ledger'),
    ledgerKeepMs: durationOf('ledger-keep', dayMs, 3_650 * dayMs),
    ledgerKeepSumsMs: durationOf('ledger-keep-sums', dayMs, 3_650 * dayMs),
    stateDir: directory('state-dir'),
    signers: directory('signers'),
    audience: given.get('audience'),
    gitTokenFile: existing('git-token-file'),
    adminTokenFile: directory('admin-token-file'),
    bakeMs: durationOf('bake', 0),
    bakeSamples: samples,
    logLevel: logLevel ?? 'info',
    workers,
    drainMs: durationOf('drain', 0),
    upstreamClient: upstreamClient ?? 'own',
    seed: existing('seed'),
    webhook: address('webhook'),
    webhookSecretFile: existing('webhook-secret-file'),
    commitStatus,
    commitStatusUrl: address('commit-status-url'),
    commitStatusContext: given.get('commit-status-context'),
    commitStatusTokenFile: existing('commit-status-token-file'),
  };
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}
