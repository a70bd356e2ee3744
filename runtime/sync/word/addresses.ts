/** Where word goes, from the settings: every problem at once, and never the address itself, which may be a secret. */
import { readFileSync } from 'node:fs';
import { isLoopback, type GitHost, type Settings } from '../../settings.ts';
import type { CommitStatus } from './commit-status.ts';
import { secretsFrom, type Webhook } from './webhook.ts';

export interface Addresses {
  readonly webhook: Webhook | undefined;
  /** Without a context: that may have to wait for the name of the gateway. */
  readonly commitStatus: Omit<CommitStatus, 'context'> | undefined;
}

const isOpen = (address: string): boolean => {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !isLoopback({ host: hostname.replace(/^\[|\]$/g, ''), port: 0 });
};

/** Where the host of `repo` has its API, and the repository in it. */
export function apiOf(host: GitHost, repo: string | undefined): string | undefined {
  if (repo === undefined || !URL.canParse(repo)) return undefined;
  const { protocol, hostname, origin, pathname } = new URL(repo);
  if (!/^https?:$/.test(protocol)) return undefined;
  const parts = pathname
    .replace(/\.git\/?$/, '')
    .split('/')
    .filter(Boolean);
  const [owner, name] = parts.slice(-2);
  if (owner === undefined || name === undefined) return undefined;
  // A project may lie in groups of groups, and its whole path is its id.
  if (host === 'gitlab') return `${origin}/api/v4/projects/${parts.join('%2F')}`;
  // The server may live below a path of its own.
  const below = [origin, ...parts.slice(0, -2)].join('/');
  if (host === 'gitea') return `${below}/api/v1/repos/${owner}/${name}`;
  if (parts.length > 2) return undefined;
  if (hostname === 'github.com') return `https://api.github.com/repos/${owner}/${name}`;
  if (hostname.endsWith('.ghe.com')) return `https://api.${hostname}/repos/${owner}/${name}`;
  return `${origin}/api/v3/repos/${owner}/${name}`;
}

function webhookFrom({ webhook: url, webhookSecretFile: secretFile }: Settings, problems: string[]) {
  if (url === undefined) {
    if (secretFile !== undefined) problems.push('--webhook-secret-file signs nothing: give --webhook, or leave it out');
    return undefined;
  }
  if (secretFile !== undefined) {
    try {
      secretsFrom(readFileSync(secretFile, 'utf8'), secretFile);
    } catch (error) {
      problems.push(`--webhook-secret-file: ${(error as Error).message}`);
    }
  } else if (isOpen(url))
    problems.push(
      '--webhook is http:// beyond loopback, where anybody on the way could forge it: use https://, or sign it with --webhook-secret-file',
    );
  return { url, secretFile };
}

function statusFrom(settings: Settings, problems: string[]): Addresses['commitStatus'] {
  const { commitStatus: host, commitStatusUrl, commitStatusContext, commitStatusTokenFile, repo } = settings;
  if (host === undefined) {
    const idle = { url: commitStatusUrl, context: commitStatusContext, 'token-file': commitStatusTokenFile };
    for (const [name, value] of Object.entries(idle))
      if (value !== undefined) problems.push(`--commit-status-${name} does nothing without --commit-status`);
    return undefined;
  }
  const url = (commitStatusUrl ?? apiOf(host, repo))?.replace(/\/+$/, '');
  const tokenFile = commitStatusTokenFile ?? settings.gitTokenFile;
  if (url === undefined)
    problems.push(
      '--commit-status cannot tell the API of the git host from --repo: give --commit-status-url, the repository in the API, such as https://api.github.com/repos/team/gateway',
    );
  else if (isOpen(url))
    problems.push(
      '--commit-status would send its token over http:// beyond loopback: give --commit-status-url with https://',
    );
  if (tokenFile === undefined)
    problems.push(
      '--commit-status needs a token: give --commit-status-token-file, or --git-token-file if that one may do it',
    );
  return url === undefined || tokenFile === undefined ? undefined : { host, url, tokenFile };
}

export function addressesFrom(settings: Settings): { addresses: Addresses; problems: readonly string[] } {
  const problems: string[] = [];
  const webhook = webhookFrom(settings, problems);
  const commitStatus = statusFrom(settings, problems);
  return { addresses: { webhook, commitStatus }, problems };
}
