/** The local repository as a source of revisions: each commit, or each save, compiled into an artifact that is never published. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ArtifactRefused } from '@headgate/runtime/artifact';
import type { SnapshotInput } from '@headgate/runtime/snapshot';
import type { RevisionSource } from '@headgate/runtime/sync/source';
import { artifactFiles, type ArtifactFiles, type Publication } from './artifact-files.ts';
import { check, type CheckResult } from './check.ts';
import { compileCommit } from './compile-commit.ts';
import { Evaluations } from './load/load.ts';
import { commitWords, currentCommit } from './git.ts';
import { followSaves } from './saves.ts';
import { scratchName } from './scratch-directory.ts';
import { StandingCompiler } from './standing/compiler.ts';

export interface DevOptions {
  /** Top directory of the checkout. */
  readonly repository: string;
  /** `sha256:…` of the key that consumer `dev` calls with. */
  readonly keyHash: string;
  /** Shows what `check` had to say; `directory` holds the files it speaks of. */
  readonly onFindings: (result: Pick<CheckResult, 'findings' | 'redact'>, directory: string) => void;
}

/**
 * Consumer `dev` may use everything. Where the configuration declares one of that name, it only gains the key. Stages are for
 * many consumers: whoever tries a change out wants to see it.
 */
function forDev({ rollout: _stages, ...snapshot }: SnapshotInput, keyHash: string): SnapshotInput {
  const declared = snapshot.consumers['dev'] ?? { keys: [] };
  const dev = { ...declared, keys: [...declared.keys, keyHash] };
  return { ...snapshot, consumers: { ...snapshot.consumers, dev } };
}

function artifactFor(result: CheckResult, options: DevOptions, source: Publication['source']): ArtifactFiles {
  if (!result.snapshot) {
    const errors = result.findings.filter(({ severity }) => severity === 'error');
    const first = errors[0];
    const place = first ? `${first.file}:${first.line}:${first.column} ${first.message}` : 'no snapshot came out';
    throw new ArtifactRefused('invalid', `check found ${errors.length} error(s); the first: ${place}`);
  }
  return artifactFiles(forDev(result.snapshot, options.keyHash), { seq: 0, ...(source && { source }) });
}

/** Follows the checked-out branch. */
export function committedSource(options: DevOptions): RevisionSource {
  const { repository, onFindings } = options;
  const buildInfo = join(repository, scratchName, 'types.tsbuildinfo');
  return {
    tip: () => currentCommit(repository),
    async fetch(commit) {
      const { directory, findings, redact, snapshot } = await compileCommit({ repository, commit, buildInfo });
      if (findings.length > 0) onFindings({ findings, redact }, directory);
      const source = { commit, ...(await commitWords(repository, commit)) };
      return { commit, files: artifactFor({ findings, redact, snapshot }, options, source).files };
    },
    close: () => Promise.resolve(),
  };
}

export interface WatchOptions extends DevOptions {
  /** Something was saved, and for a moment nothing more. */
  readonly onSave: () => void;
}

/** Follows the files as they are saved, committed or not. */
export async function watchedSource(options: WatchOptions): Promise<RevisionSource> {
  const { repository, onFindings, onSave } = options;
  const buildInfo = join(repository, scratchName, 'types.tsbuildinfo');
  const evaluations = new Evaluations(realpathSync(repository));
  const compiler = new StandingCompiler(realpathSync(repository));
  const saves = await followSaves(repository, onSave);
  let seen: { saves: number; tip: string; result: CheckResult; artifact: ArtifactFiles | undefined } | undefined;
  return {
    async tip() {
      if (seen?.saves === saves.count) {
        // Asked again, so what was seen is served by now: the next save may be prepared for.
        evaluations.prepare();
        if (seen.result.snapshot) compiler.prepare();
        return seen.tip;
      }
      const at = saves.count;
      const result = await check(repository, { buildInfo, evaluations, compiler });
      const artifact = result.snapshot && artifactFor(result, options, undefined);
      const told = artifact ? artifact.digest : JSON.stringify(result.findings);
      const tip = createHash('sha256').update(told).digest('hex');
      // Advice may come and go without a change of what is served.
      const isNew = tip !== seen?.tip || JSON.stringify(result.findings) !== JSON.stringify(seen.result.findings);
      if (result.findings.length > 0 && isNew) onFindings(result, repository);
      seen = { saves: at, tip, result, artifact };
      return tip;
    },
    fetch(commit) {
      if (seen?.tip !== commit) return Promise.reject(new Error('the files changed meanwhile'));
      const { files } = seen.artifact ?? artifactFor(seen.result, options, undefined);
      return Promise.resolve({ commit, files });
    },
    close() {
      saves.close();
      evaluations.close();
      return compiler.close();
    },
  };
}
