/** Quota counts kept for one worker: answers its questions, and settles what it held and left unsettled when it ended. */
import { StoreUnavailable, type Demand, type QuotaStore, type Settlement, type Taking } from '../quota/store.ts';
import { Batch } from './batch.ts';
import type { QuotaAnswer, QuotaQuestion, Settled } from './messages.ts';
import type { Unsettled } from './unsettled.ts';

interface Held {
  /** The question that it was taken with: one for each call. */
  readonly call: number;
  readonly demand: Demand;
  readonly taking: Taking;
}

/** A call at the same time as others is over when its process is; what a vendor charged is not told any more. */
const inDoubt = ({ demand, taking }: Held): Settlement => ({
  demand,
  taking,
  spent: demand.window.kind === 'none' ? 0 : demand.amount,
});

export class AnsweredQuotas {
  readonly #store: QuotaStore;
  readonly #batch: Batch<QuotaAnswer>;
  /** What the worker has to settle, by the name that it knows it by. */
  readonly #held = new Map<string, Held>();
  #named = 0;
  #isGone = false;

  constructor(store: QuotaStore, send: (answers: readonly QuotaAnswer[]) => void) {
    this.#store = store;
    this.#batch = new Batch(send);
  }

  async hear(question: QuotaQuestion): Promise<void> {
    const { id } = question;
    try {
      this.#batch.add({ id, answer: (await this.#answerTo(question)) ?? undefined });
    } catch (error) {
      this.#batch.add({ id, unavailable: error instanceof Error ? error.message : 'it cannot answer' });
    }
  }

  /** The worker has ended, and all that it said was heard. */
  async lose(): Promise<Unsettled> {
    this.#isGone = true;
    const all = [...this.#held.values()];
    this.#held.clear();
    const settlements = all.map(inDoubt);
    const counted = new Map<string, number>();
    for (const { demand, spent } of settlements)
      if (spent > 0) counted.set(demand.key, (counted.get(demand.key) ?? 0) + spent);
    const problem = await this.#settle(settlements);
    return { calls: new Set(all.map(({ call }) => call)).size, inDoubt: counted, problem };
  }

  #answerTo(question: QuotaQuestion) {
    if ('take' in question) return this.#take(question.id, question.take);
    if ('settle' in question) return this.#store.settle(question.settle.flatMap((each) => this.#settlementOf(each)));
    return this.#store.read(question.read);
  }

  async #take(call: number, demands: readonly Demand[]): Promise<readonly Taking[]> {
    const takings = await this.#store.take(demands);
    const isTaken = takings.every(({ granted }) => granted);
    const all = demands.flatMap((demand, index): Held[] => {
      const taking = takings[index];
      return isTaken && taking ? [{ call, demand, taking }] : [];
    });
    if (!this.#isGone) return takings.map((taking, index) => this.#remember(taking, all[index]));
    // Nobody hears the answer, so that no vendor is asked.
    await this.#settle(all.map((each) => ({ ...each, spent: 0 })));
    return takings;
  }

  #remember(taking: Taking, held: Held | undefined): Taking {
    if (taking.hold === undefined || !held) return taking;
    const hold = String((this.#named += 1));
    this.#held.set(hold, held);
    return { ...taking, hold };
  }

  /** Nothing where it was settled before. */
  #settlementOf(said: Settlement | Settled): readonly Settlement[] {
    if (!('hold' in said)) return [said];
    const held = this.#held.get(said.hold);
    this.#held.delete(said.hold);
    return held ? [{ demand: held.demand, taking: held.taking, spent: said.spent }] : [];
  }

  /** What keeps the store from hearing it, if anything does. */
  async #settle(settlements: readonly Settlement[]): Promise<string | undefined> {
    try {
      if (settlements.length > 0) await this.#store.settle(settlements);
      return undefined;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return error.message;
    }
  }
}
