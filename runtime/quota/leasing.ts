/**
 * Where a quota allows slack, a replica takes batches from the store and answers out of its own memory. What lies in batches is
 * counted by the store as used, and the store grants up to the slack above the limit: all together never use more than that.
 */
import { batchOf, Leases, withSlack, type Given } from './leases.ts';
import { StoreUnavailable, type Demand, type QuotaStore, type Taking } from './store.ts';

export function leasing(store: QuotaStore, now: () => number = () => performance.now()): QuotaStore {
  const leases = new Leases(store, now);

  /** The demands that no batch could serve, as one; nothing where it refuses any of them. */
  async function takeRest(demands: readonly Demand[], given: readonly (Given | undefined)[]) {
    const rest = demands.filter((_, index) => !given[index]).map(withSlack);
    const answers = rest.length === 0 ? [] : await store.take(rest);
    const isTaken = answers.every(({ granted }) => granted);
    let next = 0;
    return demands.map((demand, index): Taking => {
      const own = given[index];
      if (own) return isTaken ? own.taking : leases.giveBack(own, demand);
      const answer = answers[next++];
      if (!answer) throw new TypeError('a store answers every demand');
      return isTaken ? answer : leases.known(answer, demand);
    });
  }

  return {
    async take(demands) {
      if (!demands.some((demand) => batchOf(demand) > 0)) return store.take(demands.map(withSlack));
      const given: (Given | undefined)[] = [];
      try {
        for (const demand of demands) given.push(await leases.draw(demand));
        return await takeRest(demands, given);
      } catch (error) {
        for (const [index, own] of given.entries()) if (own && demands[index]) leases.giveBack(own, demands[index]);
        throw error;
      }
    },

    async settle(settlements) {
      const rest = settlements.filter((each) => !leases.settle(each));
      if (rest.length > 0) await store.settle(rest);
    },

    async read(counts) {
      const readings = await store.read(counts);
      return readings.map((reading, index) => {
        const count = counts[index];
        return count ? leases.known(reading, count) : reading;
      });
    },

    async close() {
      try {
        await leases.returnAll();
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
      }
      await store.close();
    },
  };
}
