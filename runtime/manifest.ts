/** What a published artifact says of itself, read strictly. */
import { inWords, listOf, object, perhaps, text, that, wholeNumber, type Flaw } from './shape.ts';

export const artifactFormat = 'headgate/artifact.v1';

export interface Manifest {
  readonly format: typeof artifactFormat;
  /** Whose artifact it is: the `name` given to `defineGateway`. */
  readonly audience: string;
  /** Grows by one with every publication to a branch; 0 for an artifact that was only built. */
  readonly seq: number;
  /** The commit that was compiled; absent in an artifact that was only built. */
  readonly source?: { readonly commit: string; readonly author: string; readonly subject: string } | undefined;
  readonly compiler: string;
  readonly requires: {
    /** The snapshot format the runtime must understand. */
    readonly snapshot: string;
  };
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly size: number }[];
}

const mostFiles = 16;

const matches = (problem: string, form: RegExp) => text(problem, (value) => form.test(value));
const upTo = (most: number) => text(`must be a text of at most ${most} characters`, (value) => value.length <= most);

const manifest = object({
  format: that(`must be '${artifactFormat}'`, (value) => value === artifactFormat),
  audience: text('must be a text of 1 to 64 characters', (value) => value.length >= 1 && value.length <= 64),
  seq: wholeNumber(0),
  source: perhaps(
    object({
      commit: matches('must be the full id of a commit', /^[0-9a-f]{40}([0-9a-f]{24})?$/),
      author: upTo(200),
      subject: upTo(500),
    }),
  ),
  compiler: matches("must be 'headgate/' and a version", /^headgate\/\d+\.\d+\.\d+(-[\w.]+)?$/),
  requires: object({ snapshot: text() }),
  files: listOf(
    object({
      path: matches('an artifact holds data only: .json, .txt or .md', /^[a-z0-9][a-z0-9.-]*\.(json|txt|md)$/),
      sha256: matches('must be 64 hex digits', /^[0-9a-f]{64}$/),
      size: wholeNumber(0),
    }),
    mostFiles,
  ),
});

/** In the order of the document; none where it is a manifest. */
export const flawsOf = (value: unknown): readonly Flaw[] => manifest(value, []);

/** Throws with what is wrong. */
export function manifestFrom(value: unknown): Manifest {
  const flaws = flawsOf(value);
  if (flaws.length > 0) throw new Error(inWords(flaws));
  // Each of its fields was looked at.
  return value as Manifest;
}
