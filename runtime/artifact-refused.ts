/** The one error by which an artifact is turned away, what serves goes on; and the size from which on nobody reads it. */

/** Larger snapshots are refused before they are read. */
export const maxSnapshotBytes = 8 * 1024 * 1024;
/** All files together: a snapshot, its manifest and a signature, with room to spare. */
export const maxArtifactBytes = maxSnapshotBytes + 1024 * 1024;

/** Why an artifact is refused. `reason` is one of the words that `held` may show. */
export class ArtifactRefused extends Error {
  readonly reason: 'signature' | 'rewind' | 'schema' | 'invalid' | 'shrink';

  constructor(reason: ArtifactRefused['reason'], message: string) {
    super(message);
    this.name = 'ArtifactRefused';
    this.reason = reason;
  }
}
