/** Puts publications on the artifact branch: good ones, harmful ones, and every kind that must be refused. */
import type { SigningKey } from '../config-sdk/signing/sign.ts';
import { canonicalJson } from '../runtime/canonical-json.ts';
import type { SnapshotInput } from '../runtime/snapshot.ts';
import type { HeldReason } from '../runtime/sync/states.ts';
import { sourceOf } from '../test/support/artifact-branch.ts';
import { artifactFiles } from '../test/support/gateway.ts';
import { commitTree, runGit, writeTree } from '../test/support/repository.ts';
import { newKey } from '../test/support/signing.ts';
import type { Draws } from './draws.ts';
import type { Ledger, Publication } from './ledger.ts';
import { harms, revisionOf, type Harm, type Lack } from './revision.ts';
import type { Upstreams } from './upstreams.ts';

/** Publications that a gateway must refuse, by what is wrong with them, and the reason it must give. */
const refusals = {
  'schema-invalid': 'schema',
  shrunk: 'shrink',
  'secret missing': 'invalid',
  unsigned: 'signature',
  'wrong key': 'signature',
  'manifest tampered with': 'signature',
  'snapshot tampered with': 'invalid',
  'extra file': 'invalid',
  'replayed sequence': 'rewind',
} as const satisfies Record<string, HeldReason>;
type Refused = keyof typeof refusals;

export type PublicationKind = 'good' | 'good as an orphan' | Harm | Refused;
export const refusedKinds = Object.keys(refusals) as Refused[];
export const harmfulKinds = Object.keys(harms) as Harm[];

const branch = 'headgate/compiled';
const isRefused = (kind: PublicationKind): kind is Refused => Object.hasOwn(refusals, kind);
const isHarmful = (kind: PublicationKind): kind is Harm => Object.hasOwn(harms, kind);

export interface PublisherOptions {
  /** The bare repository. */
  readonly repository: string;
  readonly key: SigningKey;
  readonly upstreams: Upstreams;
  readonly ledger: Ledger;
  readonly draws: Draws;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #stranger = newKey();
  /** The highest number that the right key signed. */
  #seq = 0;
  #tip: string | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** `seen`: a sequence number that every gateway has accepted already; what a replay bears. */
  async publish(kind: PublicationKind, seen = 1): Promise<Publication> {
    const { repository, ledger } = this.#options;
    const n = ledger.all.length + 1;
    const seq = this.#sequenceFor(kind, seen);
    const files = this.#filesOf(kind, n, seq);
    const lines = [...files].map(([name, content]) => ({ mode: '100644' as const, name, content }));
    const tree = await writeTree(repository, lines);
    const parents = this.#tip === undefined || kind === 'good as an orphan' ? [] : [this.#tip];
    // In the ledger before it is on the branch: an answer may come from it at once.
    const commit = await commitTree(repository, { branch: 'unborn', tree, parents });
    const publication: Publication = {
      n,
      kind,
      seq,
      commit,
      servable: !isRefused(kind),
      harm: isHarmful(kind) ? kind : undefined,
      refusal: isRefused(kind) ? refusals[kind] : isHarmful(kind) ? 'bad-health' : undefined,
    };
    ledger.add(publication);
    await this.#point(commit);
    return publication;
  }

  /** Points the branch at an earlier publication that was fine in its time, as a force-push does. */
  async rewind(): Promise<Publication> {
    const { ledger, draws } = this.#options;
    const earlier = draws.oneOf(ledger.all.filter(({ servable }) => servable).slice(-20));
    await this.#point(earlier.commit);
    return earlier;
  }

  async deleteBranch(): Promise<void> {
    await runGit(this.#options.repository, ['update-ref', '-d', `refs/heads/${branch}`]);
  }

  async restoreBranch(): Promise<void> {
    if (this.#tip !== undefined) await this.#point(this.#tip);
  }

  async #point(commit: string): Promise<void> {
    this.#tip = commit;
    await runGit(this.#options.repository, ['update-ref', `refs/heads/${branch}`, commit]);
  }

  #sequenceFor(kind: PublicationKind, seen: number): number {
    if (kind === 'replayed sequence') return Math.max(1, seen - Math.floor(this.#options.draws.between(0, 3)));
    // Nothing that a stranger claims may raise the bar for what comes after it.
    if (kind === 'unsigned' || kind === 'wrong key') return this.#seq + this.#options.draws.oneOf([1, 1_000_000]);
    return ++this.#seq;
  }

  #snapshotOf(kind: PublicationKind, n: number): SnapshotInput {
    const { upstreams } = this.#options;
    const lack: Lack | undefined = kind === 'shrunk' || kind === 'secret missing' ? kind : undefined;
    return revisionOf(n, { upstreams, harm: isHarmful(kind) ? kind : undefined, lack });
  }

  #filesOf(kind: PublicationKind, n: number, seq: number): Map<string, Uint8Array> {
    const snapshot = this.#snapshotOf(kind, n);
    const bytes = Buffer.from(canonicalJson(kind === 'schema-invalid' ? { ...snapshot, models: 'none' } : snapshot));
    const files: Map<string, Uint8Array> = artifactFiles(snapshot, { seq, commit: sourceOf(n) }, bytes);
    const manifest = files.get('manifest.json') ?? Buffer.alloc(0);
    const key = kind === 'wrong key' ? this.#stranger : this.#options.key;
    if (kind !== 'unsigned') files.set('manifest.json.sig', key.sign(manifest));
    if (kind === 'manifest tampered with')
      files.set('manifest.json', Buffer.from(Buffer.from(manifest).toString().replace('"Ada"', '"Eve"')));
    if (kind === 'snapshot tampered with')
      files.set('snapshot.json', Buffer.from(bytes.toString().replace('version', 'fiction')));
    if (kind === 'extra file') files.set('more.json', Buffer.from('{}'));
    return files;
  }
}
