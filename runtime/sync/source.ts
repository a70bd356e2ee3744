/** Where published artifacts come from: one ref that is listed often and fetched only when it moved. */

/** The raw files of one artifact commit, exactly as published. Nothing in it is trusted yet. */
export interface RawArtifact {
  /** Full object id of the artifact commit. */
  readonly commit: string;
  /** Top-level files by name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export interface RevisionSource {
  /** The commit the ref stands at now, or undefined when the remote answered in full and has no such ref. */
  tip(signal: AbortSignal): Promise<string | undefined>;
  /** Every top-level file of `commit`. */
  fetch(commit: string, signal: AbortSignal): Promise<RawArtifact>;
  /** What stood at the ref before `commit`, newest first, a few at most. Absent where the source has no past. */
  before?(commit: string, signal: AbortSignal): Promise<readonly RawArtifact[]>;
  close(): Promise<void>;
}

/** A source that could not answer. Never means "there is nothing": an error is not an answer. */
export class SourceError extends Error {
  /** Stable, upper case: `GIT_DEADLINE`, `GIT_AUTH`, `ARTIFACT_MODE` and so on. */
  readonly code: string;
  /** How long the remote asked us to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, options: { retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'SourceError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}
