/**
 * A happening as a commit status on the git host, on the source commit. All three hosts take
 * `POST <the repository in the API>/statuses/<sha>`, and the newest status of a context is what stands:
 * - GitHub, docs.github.com/en/rest/commits/statuses: states error, failure, pending, success; description up to 140
 *   characters (422 above that), at most 1,000 statuses for a commit and context.
 * - GitLab, docs.gitlab.com/api/commits "Set the pipeline status of a commit": states pending, running, success, failed,
 *   canceled, skipped; description up to 255. Setting the state that stands already is a 400 "Cannot transition status".
 * - Gitea and Forgejo, CreateStatusOption of their API: as GitHub.
 */
import { readFile } from 'node:fs/promises';
import type { GitHost } from '../../settings.ts';
import type { Letter } from './delivery.ts';
import type { Facts } from './facts.ts';
import type { Happening } from './happening.ts';

type Mark = 'pending' | 'success' | 'failure';

interface Dialect {
  readonly marks: Readonly<Record<Mark, string>>;
  readonly headers: (token: string) => Readonly<Record<string, string>>;
}

const asGitHub: Dialect['marks'] = { pending: 'pending', success: 'success', failure: 'failure' };

const dialects: Readonly<Record<GitHost, Dialect>> = {
  github: {
    marks: asGitHub,
    headers: (token) => ({
      authorization: `Bearer ${token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    }),
  },
  gitlab: {
    marks: { pending: 'running', success: 'success', failure: 'failed' },
    headers: (token) => ({ 'private-token': token }),
  },
  gitea: { marks: asGitHub, headers: (token) => ({ authorization: `token ${token}` }) },
};

export interface CommitStatus {
  readonly host: GitHost;
  /** The repository in the API of the host. */
  readonly url: string;
  readonly tokenFile: string;
  readonly context: string;
}

const longestDescription = 140;

/** One line that fits. */
export function shortened(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  if (line.length <= longestDescription) return line;
  // Half of a character would be no text any more.
  return `${line.slice(0, longestDescription - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/**
 * The same from every replica, to the letter: where replicas agree, it does not matter which of them speaks last. So it names
 * neither the replica nor the time.
 */
export function statusWords(happening: Happening, isVerified: boolean): { mark: Mark; description: string } {
  switch (happening.kind) {
    case 'on_trial':
      return { mark: 'pending', description: 'serves on trial' };
    case 'superseded':
      return happening.byPin
        ? { mark: 'pending', description: 'set aside during its trial: an operator pinned another revision' }
        : { mark: 'success', description: 'served until another revision took over during its trial' };
    case 'accepted':
      if (happening.isPinned) return { mark: 'success', description: 'serves, pinned by an operator' };
      return {
        mark: 'success',
        description: isVerified ? 'serves: it passed its trial' : 'serves: too few requests have proved it',
      };
    case 'held':
      return { mark: 'failure', description: shortened(`held (${happening.reason}): ${happening.detail}`) };
    case 'rolled_back': {
      // Commit, author and subject stand right above it.
      const [, why] = happening.detail.split(' was taken back: ', 2);
      return { mark: 'failure', description: shortened(`rolled back: ${why ?? happening.detail}`) };
    }
  }
}

/** Throws with the place and the cure, and without the token. */
async function readToken(file: string): Promise<string> {
  let token: string;
  try {
    token = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new Error(`the token file ${file} for commit statuses cannot be read (${code}): put it back`, {
      cause: error,
    });
  }
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new Error(`the token file ${file} for commit statuses must hold one token on one line`);
  return token;
}

/** Undefined where nothing says which commit it is about. */
export function statusLetter(
  { host, url, tokenFile, context }: CommitStatus,
  happening: Happening,
  { facts, isVerified }: { readonly facts: Facts | undefined; readonly isVerified: boolean },
): Letter | undefined {
  if (facts?.commit === undefined) return undefined;
  const { marks, headers } = dialects[host];
  const { mark, description } = statusWords(happening, isVerified);
  const body = JSON.stringify({ state: marks[mark], context, description });
  return {
    about: { word: happening.kind, artifact: happening.commit, commit: facts.commit },
    key: facts.commit,
    write: async () => ({
      url: `${url}/statuses/${facts.commit}`,
      headers: {
        ...headers(await readToken(tokenFile)),
        'content-type': 'application/json',
        'user-agent': 'headgate',
      },
      body,
    }),
    // Another replica was there first.
    isSettledBy: (status, text) => host === 'gitlab' && status === 400 && text.includes('Cannot transition status'),
  };
}
