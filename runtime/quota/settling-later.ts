/** A store that is away when something is to be settled: it is said again until the store has heard it. */
import { StoreUnavailable, type QuotaStore, type Settlement } from './store.ts';

const againAfterMs = 500;
/** Said again at once, so that a store that comes back is not overrun. */
const saidAtOnce = 200;
/** Of an outage that lasts, the oldest are given up first: their holds end first too. */
const mostKept = 50_000;

export function settlingLater(store: QuotaStore): QuotaStore {
  let unsettled: Settlement[] = [];
  let timer: NodeJS.Timeout | undefined;

  function sayAgainSoon(): void {
    // It keeps no process alive that has nothing else to do; `close` tries once more.
    timer ??= setTimeout(() => void sayAgain(), againAfterMs).unref();
  }

  async function sayAgain(): Promise<void> {
    timer = undefined;
    try {
      while (unsettled.length > 0) {
        const said = unsettled.slice(0, saidAtOnce);
        await store.settle(said);
        const heard = new Set(said);
        unsettled = unsettled.filter((each) => !heard.has(each));
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      sayAgainSoon();
    }
  }

  return {
    take: (demands) => store.take(demands),
    read: (counts) => store.read(counts),

    async settle(settlements) {
      try {
        await store.settle(settlements);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        // Without a hold the store could not tell that it has heard it before.
        const held = settlements.filter(({ taking }) => taking.hold !== undefined);
        unsettled.push(...held);
        unsettled.splice(0, unsettled.length - mostKept);
        if (held.length > 0) sayAgainSoon();
        throw error;
      }
    },

    async close() {
      if (unsettled.length > 0) await sayAgain();
      clearTimeout(timer);
      await store.close();
    },
  };
}
