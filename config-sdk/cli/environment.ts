/** What the process's environment tells: the one place that the authoring side reads it in. */

export interface Surroundings {
  /** Runs as a step of a GitHub workflow. */
  readonly githubActions: boolean;
  /** Top of the checkout of such a workflow. */
  readonly githubWorkspace: string | undefined;
  /** The commit that a merge request branched off, or the branch that it wants to go to, when CI runs for one. */
  readonly mergeTarget: { readonly commit?: string | undefined; readonly branch?: string | undefined };
  readonly forceColor: boolean;
  /** The key that `dev` is to use. */
  readonly devKey: string | undefined;
  /** File of the key that artifacts are signed with. */
  readonly signKeyFile: string | undefined;
}

export const devKeyVariable = 'HEADGATE_DEV_KEY';
export const signKeyVariable = 'HEADGATE_SIGN_KEY_FILE';

export function surroundings(): Surroundings {
  const { GITHUB_ACTIONS, GITHUB_WORKSPACE, FORCE_COLOR, [devKeyVariable]: devKey } = process.env;
  const signKeyFile = process.env[signKeyVariable];
  // GitHub, GitLab, and Jenkins' multibranch pipelines.
  const { GITHUB_BASE_REF, CI_MERGE_REQUEST_DIFF_BASE_SHA, CHANGE_TARGET } = process.env;
  return {
    githubActions: GITHUB_ACTIONS === 'true',
    githubWorkspace: GITHUB_WORKSPACE,
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
