/** Quota counts that another process keeps: questions travel in batches, one for each turn of the event loop. */
import { StoreUnavailable, type QuotaStore, type Settlement } from '../quota/store.ts';
import { Batch } from './batch.ts';
import type { QuotaAnswer, QuotaQuestion, Settled } from './messages.ts';

/** The process that counts remembers what it held. */
const inShort = (settlement: Settlement): Settlement | Settled => {
  const { hold } = settlement.taking;
  return hold === undefined ? settlement : { hold, spent: settlement.spent };
};

type Asked<Question> = Question extends { readonly id: number } ? Omit<Question, 'id'> : never;

export class AskedQuotas implements QuotaStore {
  readonly #waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (reason: Error) => void }>();
  readonly #batch: Batch<QuotaQuestion>;
  #asked = 0;
  #isGone = false;

  constructor(send: (questions: readonly QuotaQuestion[]) => void) {
    this.#batch = new Batch(send);
  }

  take: QuotaStore['take'] = (demands) => this.#ask({ take: demands });
  settle: QuotaStore['settle'] = (settlements) => this.#ask({ settle: settlements.map(inShort) });
  read: QuotaStore['read'] = (counts) => this.#ask({ read: counts });

  hear(answers: readonly QuotaAnswer[]): void {
    for (const answer of answers) {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('unavailable' in answer) waiting?.reject(new StoreUnavailable(answer.unavailable));
      else waiting?.resolve(answer.answer);
    }
  }

  /** The process that counts is gone. */
  lose(): void {
    this.#isGone = true;
    for (const { reject } of this.#waiting.values()) reject(new StoreUnavailable('the process that counts is gone'));
    this.#waiting.clear();
  }

  close = (): Promise<void> => Promise.resolve();

  #ask<Answer>(question: Asked<QuotaQuestion>): Promise<Answer> {
    if (this.#isGone) return Promise.reject(new StoreUnavailable('the process that counts is gone'));
    const id = (this.#asked += 1);
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as Answer), reject });
      this.#batch.add({ id, ...question });
    });
  }
}
