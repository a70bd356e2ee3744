/** What the process's environment tells: the one place that the authoring side reads it in. */

export interface Surroundings {
  /** Runs as a step of a GitHub workflow. */
  readonly githubActions: boolean;
  /** Top of the checkout that CI works on. */
  readonly workspace: string | undefined;
  /** The commit that a merge request branched off, or the branch that it wants to go to, when CI runs for one. */
  readonly mergeTarget: { readonly commit?: string | undefined; readonly branch?: string | undefined };
  readonly forceColor: boolean;
  /** The key that `dev` is to use. */
  readonly devKey: string | undefined;
  /** File of the key that artifacts are signed with. */
  readonly signKeyFile: string | undefined;
}

/** Where the merge request that CI runs for takes comments. */
export interface CommentPlace {
  readonly host: 'github' | 'gitlab';
  /** Address of the API. */
  readonly api: string;
  readonly repository: string;
  readonly number: string;
  readonly token: string;
}

export const commentTokenVariables = { github: 'GITHUB_TOKEN', gitlab: 'HEADGATE_GITLAB_TOKEN' } as const;

/** The place, or the variables that a job for a merge request would have and this process lacks. */
export function commentPlace(): CommentPlace | { readonly missing: readonly string[] } {
  const { GITHUB_ACTIONS, GITHUB_API_URL: githubApi, GITHUB_REPOSITORY, GITHUB_REF, CI_API_V4_URL } = process.env;
  const { CI_MERGE_REQUEST_PROJECT_ID, CI_MERGE_REQUEST_IID } = process.env;
  const onGithub = GITHUB_ACTIONS === 'true';
  const host = onGithub ? 'github' : 'gitlab';
  const tokenVariable = commentTokenVariables[host];
  const [api, repository, number] = onGithub
    ? [githubApi, GITHUB_REPOSITORY, /^refs\/pull\/(\d+)\//.exec(GITHUB_REF ?? '')?.[1]]
    : [CI_API_V4_URL, CI_MERGE_REQUEST_PROJECT_ID, CI_MERGE_REQUEST_IID];
  const token = process.env[tokenVariable];
  if (api && repository && number && token) return { host, api, repository, number, token };
  const names = onGithub
    ? { GITHUB_API_URL: api, GITHUB_REPOSITORY: repository, 'GITHUB_REF (refs/pull/…)': number }
    : { CI_API_V4_URL: api, CI_MERGE_REQUEST_PROJECT_ID: repository, CI_MERGE_REQUEST_IID: number };
  const missing = Object.entries({ ...names, [tokenVariable]: token }).filter(([, value]) => !value);
  return { missing: missing.map(([name]) => name) };
}

export const devKeyVariable = 'HEADGATE_DEV_KEY';
export const signKeyVariable = 'HEADGATE_SIGN_KEY_FILE';

export function surroundings(): Surroundings {
  const { GITHUB_ACTIONS, GITHUB_WORKSPACE, CI_PROJECT_DIR, FORCE_COLOR, [devKeyVariable]: devKey } = process.env;
  const signKeyFile = process.env[signKeyVariable];
  // GitHub, GitLab, and Jenkins' multibranch pipelines.
  const { GITHUB_BASE_REF, CI_MERGE_REQUEST_DIFF_BASE_SHA, CHANGE_TARGET } = process.env;
  return {
    githubActions: GITHUB_ACTIONS === 'true',
    workspace: GITHUB_WORKSPACE || CI_PROJECT_DIR || undefined,
    mergeTarget: {
      commit: CI_MERGE_REQUEST_DIFF_BASE_SHA || undefined,
      branch: GITHUB_BASE_REF || CHANGE_TARGET || undefined,
    },
    forceColor: FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0',
    devKey,
    signKeyFile: signKeyFile === '' ? undefined : signKeyFile,
  };
}

/** For a program that needs the user's own settings: all variables but some, and a few more. */
export function inherited(
  without: readonly string[],
  extra: Readonly<Record<string, string>>,
): Record<string, string | undefined> {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !without.includes(name))), ...extra };
}
