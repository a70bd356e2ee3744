/** A store that is away when something is to be settled: it is said again until the store has heard it. */
import { StoreUnavailable, type QuotaStore, type Settlement } from './store.ts';
import { UntilHeard } from './until-heard.ts';

export function settlingLater(store: QuotaStore): QuotaStore {
  const unsettled = new UntilHeard<Settlement>((settlements) => store.settle(settlements));

  return {
    take: (demands) => store.take(demands),
    read: (counts) => store.read(counts),

    async settle(settlements) {
      try {
        await store.settle(settlements);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        // Without a hold the store could not tell that it has heard it before.
        unsettled.add(settlements.filter(({ taking }) => taking.hold !== undefined));
        throw error;
      }
    },

    async close() {
      await unsettled.close();
      await store.close();
    },
  };
}
