/** Publishes hand-made snapshots to an artifact branch of a real repository, as `headgate publish` would: one parent, one more seq. */
import { createHash } from 'node:crypto';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { artifactFiles } from './gateway.ts';
import { commitTree, writeTree } from './repository.ts';

export interface ArtifactBranch {
  /** The seq that was published last. */
  readonly seq: number;
  /** Commits the artifact of `snapshot` on top and gives the commit. */
  publish(snapshot: SnapshotInput, change?: Partial<Publication>): Promise<string>;
}

interface Publication {
  readonly seq: number;
  /** Other bytes for the snapshot, which the manifest then speaks of. */
  readonly snapshot: Buffer;
  /** Other content for a file, after the manifest was made. */
  readonly replace: Readonly<Record<string, Buffer>>;
  readonly parents: readonly string[];
}

/** The source commit an artifact of this seq speaks of. */
export const sourceOf = (seq: number): string => createHash('sha1').update(`source ${seq}`).digest('hex');

/** `directory` is the repository itself, bare or not. */
export function artifactBranch(directory: string, branch = 'headgate/compiled'): ArtifactBranch {
  let seq = 0;
  let tip: string | undefined;
  return {
    get seq() {
      return seq;
    },
    async publish(snapshot, change = {}) {
      seq = change.seq ?? seq + 1;
      const files = artifactFiles(snapshot, { seq, commit: sourceOf(seq) }, change.snapshot);
      const lines = [...files].map(([name, content]) => ({
        mode: '100644' as const,
        name,
        content: change.replace?.[name] ?? content,
      }));
      const tree = await writeTree(directory, lines);
      tip = await commitTree(directory, { branch, tree, parents: change.parents ?? (tip ? [tip] : []) });
      return tip;
    },
  };
}
