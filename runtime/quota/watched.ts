/** Tells the log when the store of quotas is away, and when it is back: once each, because nobody looks at every request. */
import { causeInWords, type Log } from '../log.ts';
import { StoreUnavailable, type QuotaStore } from './store.ts';

export function watched(store: QuotaStore, log: Log): QuotaStore {
  let awaySince: number | undefined;

  async function heard<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      const told = await answer;
      if (awaySince !== undefined) {
        const awayMs = Math.round(performance.now() - awaySince);
        awaySince = undefined;
        log.warn({ event: 'quota_store_back', awayMs }, 'the store of quotas answers again');
      }
      return told;
    } catch (error) {
      if (error instanceof StoreUnavailable && awaySince === undefined) {
        awaySince = performance.now();
        const said = 'the store of quotas does not answer: each quota does what it declares for that';
        log.error({ event: 'quota_store_away', cause: causeInWords(error) }, said);
      }
      throw error;
    }
  }

  return {
    take: (demands) => heard(store.take(demands)),
    settle: (settlements) => heard(store.settle(settlements)),
    read: (counts) => heard(store.read(counts)),
    close: () => store.close(),
    ...(store.alone && { alone: store.alone }),
  };
}
