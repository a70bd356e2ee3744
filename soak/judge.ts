/** Holds every answer against what its revision must say, and every revision against what may be served. */
import type { Ledger, Publication } from './ledger.ts';
import { harms, textOf } from './revision.ts';
import type { Replica } from './replica.ts';

export interface Answer {
  readonly replica: Replica;
  /** Model or route, as `which`, and how it was asked, as `which stream`. */
  readonly asked: 'which' | 'assured' | 'exposed' | 'strict' | 'orders';
  readonly form: string;
  /** 0: there was no answer, or it broke off. */
  readonly status: number;
  readonly revision: string | undefined;
  /** What it says, put together from its pieces. */
  readonly says: string | undefined;
  /** The error code of a failure, or what happened instead of an answer. */
  readonly failure: string | undefined;
  readonly startedAt: number;
  readonly headAt: number;
  readonly endedAt: number;
}

/** What one replica is seen to serve, from answers alone. */
interface Sight {
  current: Publication;
  /** Since when it is surely current: an answer that began earlier may still be from before. */
  since: number;
  readonly firstSeen: Map<Publication, number>;
  readonly left: Set<Publication>;
  readonly lastSeen: Map<Publication, number>;
  backs: number;
}

export interface JudgeOptions {
  readonly ledger: Ledger;
  /** A trial is over by then. */
  readonly trialMs: number;
  /** Whether the store was away, or just back, at some time in this interval. */
  readonly storeWasAway: (from: number, to: number) => boolean;
  /** How long the store was back at a moment, in words. */
  readonly storeBackFor: (at: number) => string;
}

const mostTold = 20;

export class Judge {
  readonly outcomes = new Map<string, number>();
  /** Sentences about what must not be. The first of each kind are enough. */
  readonly own: string[] = [];
  readonly mixed: string[] = [];
  readonly unverified: string[] = [];
  readonly relapsed: string[] = [];
  readonly counts = { own: 0, mixed: 0, unverified: 0, relapsed: 0, byRevision: 0, byStore: 0, asked: 0 };
  readonly latencies: number[] = [];
  readonly #options: JudgeOptions;
  readonly #sights = new Map<Replica, Sight>();

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** How often a replica was seen to go back to an older revision. */
  backs(replica: Replica): number {
    return this.#sights.get(replica)?.backs ?? 0;
  }

  /** How long each harmful revision was seen at one replica, in milliseconds. */
  get harmedFor(): number[] {
    return [...this.#sights.values()].flatMap(({ firstSeen, lastSeen }) =>
      [...lastSeen].flatMap(([seen, at]) => (seen.harm === undefined ? [] : [at - (firstSeen.get(seen) ?? at)])),
    );
  }

  get revisionsServed(): number {
    return new Set([...this.#sights.values()].flatMap(({ firstSeen }) => [...firstSeen.keys()])).size;
  }

  hear(answer: Answer): void {
    this.counts.asked += 1;
    const publication = answer.revision === undefined ? undefined : this.#options.ledger.named(answer.revision);
    // Only a connection that broke before the head has no revision; every answer names one.
    if (answer.revision !== undefined || answer.status !== 0) {
      if (publication?.servable !== true)
        this.#note(
          'unverified',
          `${answer.revision ?? 'no revision'} (${publication?.kind ?? 'never published'})`,
          answer,
        );
      else this.#see(answer, publication);
    }
    this.#outcome(answer, publication);
  }

  #outcome(answer: Answer, publication: Publication | undefined): void {
    const { asked, form, status, says, failure } = answer;
    if (status === 200 && failure === undefined) {
      this.latencies.push(answer.endedAt - answer.startedAt);
      this.#count(`${form}: 200`);
      if (publication && says !== textOf(publication.n))
        this.#note('mixed', `revision ${publication.n} (${publication.kind}) says ${says?.slice(0, 60)}`, answer);
      return;
    }
    this.#count(`${form}: ${status} ${failure ?? ''}`);
    if (publication && this.#isByRevision(answer, publication)) this.counts.byRevision += 1;
    else if (
      asked === 'strict' &&
      failure === 'quota_store_unavailable' &&
      this.#options.storeWasAway(answer.startedAt, answer.endedAt)
    )
      this.counts.byStore += 1;
    else {
      const took = `after ${Math.round(answer.endedAt - answer.startedAt)} ms, ${this.#options.storeBackFor(answer.startedAt)}`;
      this.#note('own', `${status} ${failure} under ${publication?.kind ?? answer.revision} ${took}`, answer);
    }
  }

  /** Whether the revision broke what was asked for, and is still on the trial that finds it out. */
  #isByRevision({ replica, asked, failure, startedAt }: Answer, publication: Publication): boolean {
    if (publication.harm === undefined || failure === undefined) return false;
    const isBroken =
      harms[publication.harm] === 'orders'
        ? asked === 'orders' && failure === 'upstream_failed'
        : asked === 'exposed' &&
          ['upstream_credential_refused', 'upstream_model_unknown', 'upstream_failed'].includes(failure);
    const firstSeen = this.#sights.get(replica)?.firstSeen.get(publication) ?? startedAt;
    return isBroken && startedAt < firstSeen + this.#options.trialMs;
  }

  #see({ replica, startedAt, headAt, form }: Answer, publication: Publication): void {
    const sight: Sight = this.#sights.get(replica) ?? {
      current: publication,
      since: headAt,
      firstSeen: new Map(),
      lastSeen: new Map(),
      left: new Set(),
      backs: 0,
    };
    this.#sights.set(replica, sight);
    if (!sight.firstSeen.has(publication)) sight.firstSeen.set(publication, headAt);
    sight.lastSeen.set(publication, Math.max(startedAt, sight.lastSeen.get(publication) ?? startedAt));
    const { current, left } = sight;
    if (publication === current || startedAt < sight.since) return;
    left.add(current);
    if (publication.seq < current.seq) sight.backs += 1;
    // A rollback took it back, or a newer one came: by itself it must not serve again.
    if (left.has(publication) && publication.harm !== undefined)
      this.#note('relapsed', `${publication.kind} ${publication.n} serves again`, { form, replica });
    sight.current = publication;
    sight.since = headAt;
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #note(
    kind: 'own' | 'mixed' | 'unverified' | 'relapsed',
    sentence: string,
    { form, replica }: Pick<Answer, 'form' | 'replica'>,
  ) {
    this.counts[kind] += 1;
    if (this[kind].length < mostTold) this[kind].push(`${replica.name}, ${form}: ${sentence}`);
  }
}
