/** What artifacts say about themselves, kept for as long as there may be something to tell about them. */
import { manifestFrom, parseJsonBytes, type Manifest } from '../../artifact.ts';
import type { RawArtifact, RevisionSource } from '../source.ts';

export interface Facts {
  /** As headers and logs show it: the source commit where one is named, shortened. */
  readonly revision: string;
  /** The commit that was compiled. */
  readonly commit: string | undefined;
  readonly seq: number;
  readonly digest: string | undefined;
  readonly author: string | undefined;
  readonly subject: string | undefined;
  /** Whose artifact it is. */
  readonly gateway: string;
}

/** Those that serve are looked at again and again, so the oldest is one that nobody speaks of any more. */
const mostKnown = 16;
const mostBytes = 64 * 1024;

function factsOf(artifact: string, { source, seq, audience, files }: Manifest): Facts {
  const snapshot = files.find(({ path }) => path === 'snapshot.json');
  return {
    revision: (source?.commit ?? artifact).replace(/^sha256:/, '').slice(0, 12),
    commit: source?.commit,
    seq,
    digest: snapshot && `sha256:${snapshot.sha256}`,
    author: source?.author,
    subject: source?.subject,
    gateway: audience,
  };
}

/** Whoever judges the artifact says what is wrong with it; here what cannot be read is left out. */
function manifestOf({ files }: RawArtifact): Manifest | undefined {
  const bytes = files.get('manifest.json');
  if (!bytes || bytes.byteLength > mostBytes) return undefined;
  try {
    return manifestFrom(parseJsonBytes(bytes, 'manifest.json'));
  } catch {
    return undefined;
  }
}

export class KnownFacts {
  readonly #known = new Map<string, Facts>();

  remember(artifact: string, manifest: Manifest): void {
    this.#keep(artifact, factsOf(artifact, manifest));
  }

  of(artifact: string | undefined): Facts | undefined {
    const facts = artifact === undefined ? undefined : this.#known.get(artifact);
    if (facts && artifact !== undefined) this.#keep(artifact, facts);
    return facts;
  }

  /** The same source, overheard: a candidate that is refused is known by what it said of itself. */
  overhear(source: RevisionSource): RevisionSource {
    const heard = (raw: RawArtifact): RawArtifact => {
      const manifest = manifestOf(raw);
      if (manifest) this.remember(raw.commit, manifest);
      return raw;
    };
    return {
      tip: (signal) => source.tip(signal),
      fetch: async (commit, signal) => heard(await source.fetch(commit, signal)),
      before: async (commit, signal) => ((await source.before?.(commit, signal)) ?? []).map(heard),
      close: () => source.close(),
    };
  }

  #keep(artifact: string, facts: Facts): void {
    this.#known.delete(artifact);
    this.#known.set(artifact, facts);
    const [oldest] = this.#known.keys();
    if (this.#known.size > mostKnown && oldest !== undefined) this.#known.delete(oldest);
  }
}
