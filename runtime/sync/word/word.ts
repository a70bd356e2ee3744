/** The word about a revision: what log, status, webhook and commit status all tell. */
import { hostname } from 'node:os';
import type { HeldReason } from '../states.ts';
import type { Facts } from './facts.ts';
import type { Happening } from './happening.ts';

export interface Named {
  readonly revision: string;
  readonly artifact: string;
}

export interface Word {
  readonly event: 'accepted' | 'rolled_back' | 'held';
  readonly time: string;
  /** The process that says so, as in `/status`. */
  readonly replica: string;
  readonly host: string;
  /** The `name` of the gateway; this and what follows is absent where nothing trustworthy says it. */
  readonly gateway?: string;
  /** As headers show it. */
  readonly revision?: string;
  /** The source commit. */
  readonly commit?: string;
  readonly artifact?: string;
  readonly seq?: number;
  readonly digest?: string;
  readonly author?: string;
  readonly subject?: string;
  /** Of what was accepted: whether enough requests proved it. */
  readonly verified?: boolean;
  /** Of what was not accepted. */
  readonly reason?: HeldReason;
  /** One sentence for people. */
  readonly detail: string;
  /** What serves now. */
  readonly serving?: Named;
  /** What served before what was accepted. */
  readonly previous?: Named;
}

/** What is told; trials are only shown, on the commit. */
export type Told = Extract<Happening, { kind: Word['event'] }>;

export interface Circumstances {
  readonly replica: string;
  readonly facts: (artifact: string | undefined) => Facts | undefined;
  readonly serving: string | undefined;
  /** Whether enough requests proved what is accepted. */
  readonly isVerified: boolean;
}

/** Some refusals list many places; whoever needs them all finds them in `/status`. */
const longestDetail = 2_000;

function detailOf(told: Told, revision: string, isVerified: boolean): string {
  if (told.kind !== 'accepted') return told.detail.slice(0, longestDetail);
  if (told.isPinned) return `${revision} serves because an operator pinned it`;
  return isVerified
    ? `${revision} passed its trial and serves`
    : `${revision} serves, and too few requests have proved it`;
}

const given = <Part extends object>(part: Part): { [Key in keyof Part]?: Exclude<Part[Key], undefined> } =>
  Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Part]?: Exclude<Part[Key], undefined>;
  };

/** Facts come from the manifest. One whose signature was refused speaks for nobody. */
export const factsFor = (told: Happening, facts: Circumstances['facts']): Facts | undefined =>
  told.kind === 'held' && told.reason === 'signature' ? undefined : facts(told.commit);

export function wordOf(told: Told, { replica, facts, serving, isVerified }: Circumstances): Word {
  const known = factsFor(told, facts);
  const named = (artifact: string | undefined): Named | undefined =>
    artifact === undefined ? undefined : { artifact, revision: facts(artifact)?.revision ?? artifact.slice(0, 12) };
  const proved = told.kind === 'accepted' ? isVerified && !told.isPinned : undefined;
  const revision = known?.revision ?? told.commit?.slice(0, 12);
  return {
    event: told.kind,
    time: new Date().toISOString(),
    replica,
    host: hostname(),
    ...given({
      gateway: known?.gateway,
      revision: known?.revision,
      commit: known?.commit,
      artifact: told.commit,
      seq: known?.seq,
      digest: known?.digest,
      author: known?.author,
      subject: known?.subject,
      verified: proved,
      reason: told.kind === 'held' ? told.reason : told.kind === 'rolled_back' ? 'bad-health' : undefined,
    } as const),
    detail: detailOf(told, revision ?? 'the revision', proved ?? false),
    ...given({
      serving: named(serving),
      previous: told.kind === 'accepted' ? named(told.previous) : undefined,
    }),
  };
}
