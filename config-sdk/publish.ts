/** Puts a compiled commit on the artifact branch: one after the other, never backwards, whoever else publishes meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import { manifestFrom, type Manifest } from '@headgate/runtime/artifact';
import { artifactFiles } from './artifact-files.ts';
import { compileCommit, type CompiledCommit } from './compile-commit.ts';
import { EnvironmentFault } from './findings.ts';
import { buildsOn, commitFiles, commitOf, commitWords, fileAt, obtain, push, remoteTip } from './git.ts';
import { signArtifact, type SigningKey } from './signing/sign.ts';

export interface PublishOptions {
  /** Top directory of the checkout. */
  readonly repository: string;
  readonly remote: string;
  readonly branch: string;
  /** The commit to publish, as git names it. */
  readonly sourceRef: string;
  /** Signs the manifest; without it the artifact goes out unsigned. */
  readonly key?: SigningKey | undefined;
  /** Publish on top of the tip although its source is on another line of history. Never backwards. */
  readonly afterRewrite?: boolean;
}

export type PublishOutcome =
  | {
      readonly outcome: 'published';
      readonly source: string;
      readonly commit: string;
      readonly seq: number;
      readonly digest: string;
      readonly changed: boolean;
      /** Fingerprint of the key. */
      readonly signedBy?: string;
    }
  | { readonly outcome: 'already_published'; readonly source: string; readonly seq: number }
  /** `skipped`: the branch stands at something newer. `diverged`: at another line of history, and somebody must decide. */
  | {
      readonly outcome: 'skipped' | 'diverged';
      readonly source: string;
      readonly seq: number;
      readonly published: string;
      readonly reason: string;
    }
  | { readonly outcome: 'refused' };

export interface Published {
  readonly result: PublishOutcome;
  /** Findings of the check; absent when there was no need to compile. */
  readonly compiled?: CompiledCommit;
}

const attempts = 5;
const short = (commit: string): string => commit.slice(0, 12);

interface Tip {
  readonly commit: string;
  readonly manifest: Manifest & { source: NonNullable<Manifest['source']> };
}

async function readTip({ repository, remote, branch }: PublishOptions): Promise<Tip | undefined> {
  const commit = await remoteTip(repository, remote, branch).catch((error: unknown) => {
    if (!(error instanceof EnvironmentFault)) throw error;
    throw new EnvironmentFault(`${error.message}; --remote names another remote or its address`, { cause: error });
  });
  if (!commit) return undefined;
  const bytes = await fileAt(repository, commit, 'manifest.json');
  let manifest: Manifest | undefined;
  try {
    manifest = bytes && manifestFrom(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    // Told below: whatever stands there is not ours to build upon.
  }
  if (!manifest?.source)
    throw new EnvironmentFault(
      `${branch} on ${remote} holds something that \`headgate publish\` has not written; publish to another branch or remove it`,
    );
  return { commit, manifest: { ...manifest, source: manifest.source } };
}

/** Why there is nothing to do, if so. */
async function settled(
  source: string,
  tip: Tip | undefined,
  options: PublishOptions,
): Promise<PublishOutcome | undefined> {
  if (!tip) return undefined;
  const {
    seq,
    source: { commit: published },
  } = tip.manifest;
  if (published === source) return { outcome: 'already_published', source, seq };
  if (await buildsOn(options.repository, published, source, options.remote)) return undefined;
  const newer =
    (await obtain(options.repository, published, options.remote)) &&
    (await buildsOn(options.repository, source, published, options.remote));
  if (newer) {
    const reason = `${short(published)} is published and newer than ${short(source)}`;
    return { outcome: 'skipped', source, seq, published, reason };
  }
  if (options.afterRewrite) return undefined;
  const reason = `${short(published)} is published and ${short(source)} does not build on it, nor it on that; if history was rewritten on purpose, publish once with --after-rewrite`;
  return { outcome: 'diverged', source, seq, published, reason };
}

function messageOf(source: Tip['manifest']['source'], seq: number, digest: string): string {
  return `${source.subject}\n\nHeadgate-Source: ${source.commit}\nHeadgate-Seq: ${seq}\nHeadgate-Digest: ${digest}\n`;
}

export async function publish(options: PublishOptions): Promise<Published> {
  const { repository, remote, branch, sourceRef, key } = options;
  const source = await commitOf(repository, sourceRef);
  if (!source) throw new EnvironmentFault(`'${sourceRef}' names no commit in ${repository}`);
  let tip = await readTip(options);
  const early = await settled(source, tip, options);
  if (early) return { result: early };

  const compiled = await compileCommit({ repository, commit: source });
  if (!compiled.snapshot) return { result: { outcome: 'refused' }, compiled };
  const words = { commit: source, ...(await commitWords(repository, source)) };
  let reason = '';
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const seq = (tip?.manifest.seq ?? 0) + 1;
    const { files: unsigned, digest } = artifactFiles(compiled.snapshot, { seq, source: words });
    const commit = await commitFiles(repository, {
      files: signArtifact(unsigned, key),
      parent: tip?.commit,
      message: messageOf(words, seq, digest),
    });
    const outcome = await push(repository, remote, { commit, branch });
    const before = tip?.manifest.files.find(({ path }) => path === 'snapshot.json')?.sha256;
    if (outcome.pushed) {
      const changed = digest !== `sha256:${before}`;
      const signed = key && { signedBy: key.fingerprint };
      return { result: { outcome: 'published', source, commit, seq, digest, changed, ...signed }, compiled };
    }
    reason = outcome.reason;
    // Publishers that collided once must not keep step.
    await delay(attempt * (50 + Math.random() * 250));
    tip = await readTip(options);
    const late = await settled(source, tip, options);
    if (late) return { result: late, compiled };
  }
  throw new EnvironmentFault(
    `${branch} on ${remote} moved ${attempts} times while this was being published (${reason}); try again`,
  );
}
