/** Quota counts that one process keeps for several: questions and answers travel in batches, one for each turn of the event loop. */
import { StoreUnavailable, type QuotaStore } from '../quota/store.ts';
import type { QuotaAnswer, QuotaQuestion } from './messages.ts';

/** Sends what was put into it during one turn of the event loop together. */
class Batch<Item> {
  readonly #send: (items: readonly Item[]) => void;
  #items: Item[] = [];

  constructor(send: (items: readonly Item[]) => void) {
    this.#send = send;
  }

  add(item: Item): void {
    if (this.#items.push(item) === 1) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const items = this.#items;
    this.#items = [];
    this.#send(items);
  }
}

type Asked<Question> = Question extends { readonly id: number } ? Omit<Question, 'id'> : never;

/** The side of a worker. */
export class AskedQuotas implements QuotaStore {
  readonly #waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (reason: Error) => void }>();
  readonly #batch: Batch<QuotaQuestion>;
  #asked = 0;
  #isGone = false;

  constructor(send: (questions: readonly QuotaQuestion[]) => void) {
    this.#batch = new Batch(send);
  }

  take: QuotaStore['take'] = (demands) => this.#ask({ take: demands });
  settle: QuotaStore['settle'] = (settlements) => this.#ask({ settle: settlements });
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

/** The side of the primary: answers the questions of one worker. */
export function answering(store: QuotaStore, send: (answers: readonly QuotaAnswer[]) => void) {
  const batch = new Batch(send);
  const answerTo = (question: QuotaQuestion) => {
    if ('take' in question) return store.take(question.take);
    if ('settle' in question) return store.settle(question.settle);
    return store.read(question.read);
  };
  return async (question: QuotaQuestion): Promise<void> => {
    const { id } = question;
    try {
      batch.add({ id, answer: (await answerTo(question)) ?? undefined });
    } catch (error) {
      batch.add({ id, unavailable: error instanceof Error ? error.message : 'it cannot answer' });
    }
  };
}
