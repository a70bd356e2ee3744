/** Takes what is counted by provider when a request moves on to another one: just before that is asked, and no sooner. */
import type { HeadgateError } from '../errors.ts';
import type { Dispatchable } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { QuotaUnit } from '../snapshot-quotas.ts';
import { providerOf } from '../trace.ts';
import { pay } from './pay.ts';
import { soonest, take, type Obstacle, type Taken } from './taking.ts';
import { refusalBy, tellTakings } from './tell-takings.ts';

export class Onward {
  readonly #exchange: Dispatchable;
  /** Whether somebody has answered, or nobody will. */
  readonly #isOver: () => boolean;
  readonly #obstacles: Obstacle[] = [];
  /** How many targets of a provider are asked now. */
  readonly #asked = new Map<string, number>();

  constructor(exchange: Dispatchable, isOver: () => boolean) {
    this.#exchange = exchange;
    this.#isOver = isOver;
  }

  /** Whether something must be taken before this one is asked. */
  isAhead({ provider: { name } }: LiveTarget): boolean {
    const { byProvider, entered } = this.#exchange.lease;
    return byProvider.has(name) && !entered.has(name);
  }

  /** False where there is no room. */
  enter(target: LiveTarget): Promise<boolean> {
    const entering = this.#enter(target);
    this.#track(entering);
    return entering;
  }

  /** Settled is what is there when this has ended, even if nobody waits for it any more. */
  #track(work: Promise<unknown>): void {
    const { underWay } = this.#exchange.lease;
    const forget = () => void underWay.delete(work);
    underWay.add(work);
    work.then(forget, forget);
  }

  async #enter({ label, provider: { name } }: LiveTarget): Promise<boolean> {
    const { lease, outcome } = this.#exchange;
    const asked = this.#missing(name);
    const took = await take(this.#exchange, asked);
    if ('obstacle' in took) {
      const { of, isAway } = took.obstacle;
      this.#obstacles.push(took.obstacle);
      outcome.crowded.push({ target: label, quota: of.quota.name, ...(isAway && { isAway }) });
      return false;
    }
    const { takings } = took;
    if (this.#isOver()) {
      await this.#giveBack(takings);
      return false;
    }
    lease.takings = [...lease.takings, ...takings];
    lease.entered.add(name);
    this.#leaveOthers(name);
    const isNew = new Set(takings);
    tellTakings(this.#exchange, { asked, takings, beside: lease.takings.filter((each) => !isNew.has(each)) });
    return true;
  }

  /** Some of it may be left from when it was asked before. */
  #missing(name: string) {
    const { byProvider, takings } = this.#exchange.lease;
    const taken = new Set(takings.map(({ share }) => share));
    return (byProvider.get(name) ?? []).filter(({ share }) => !taken.has(share));
  }

  /** For as long as this one is asked. */
  async during<Result>({ provider: { name } }: LiveTarget, ask: () => Promise<Result>): Promise<Result> {
    this.#asked.set(name, (this.#asked.get(name) ?? 0) + 1);
    try {
      return await ask();
    } finally {
      this.#asked.set(name, (this.#asked.get(name) ?? 0) - 1);
    }
  }

  /** This one answers. Who else is still asked is on the way to its end, and needs no place any more. */
  stay({ provider: { name } }: LiveTarget): void {
    this.#free(
      this.#exchange.lease.takings.filter(
        ({ quota: { unit }, share: { provider } }) =>
          unit === 'concurrency' && provider !== undefined && provider !== name,
      ),
    );
  }

  /** What is held where nobody is asked any more, and nothing is to be paid, is there for others at once. */
  #leaveOthers(next: string): void {
    const freed = this.#exchange.lease.takings.filter(
      ({ quota: { unit }, share: { provider } }) =>
        provider !== undefined &&
        provider !== next &&
        (this.#asked.get(provider) ?? 0) === 0 &&
        !this.#owes(provider, unit),
    );
    this.#free(freed);
  }

  #free(freed: readonly Taken[]): void {
    if (freed.length === 0) return;
    const { lease } = this.#exchange;
    const isFreed = new Set(freed);
    lease.takings = lease.takings.filter((each) => !isFreed.has(each));
    for (const { share } of freed) if (share.provider !== undefined) lease.entered.delete(share.provider);
    this.#track(this.#giveBack(freed));
  }

  async #giveBack(takings: readonly Taken[]): Promise<void> {
    const payments = takings.map((each) => ({ ...each, spent: 0 }));
    await pay(this.#exchange, payments);
  }

  #owes(provider: string, unit: QuotaUnit): boolean {
    const { tried, spentBefore } = this.#exchange.outcome;
    const isThere = ({ target }: { readonly target: string }): boolean => providerOf(target) === provider;
    if (unit === 'concurrency') return false;
    if (unit === 'requests') return tried.some((each) => each.ended !== 'passed_over' && isThere(each));
    return spentBefore.some(isThere);
  }

  /** Where nobody was asked, because none had room. */
  refusal(): HeadgateError | undefined {
    const told = soonest(this.#obstacles);
    return told && refusalBy(this.#exchange, told, this.#exchange.lease.takings);
  }
}
