/** Quota counts of a single process: exact, gone on restart. */
import { StoreUnavailable, type QuotaStore, type QuotaWindow, type Taking } from './store.ts';
import { checkAmount, lengthsRemembered, windowStartAt } from './window.ts';

/** All counts of one window length that began together, so that they are also forgotten together. */
interface Epoch {
  /** On the clock that nobody sets. */
  readonly forgetAt: number;
  readonly used: Map<string, number>;
}

/**
 * `now` names windows, as it does for people. `elapsed` is a clock that nobody sets, and decides what is old: a wall
 * clock that jumps ahead and comes back finds the counts it left.
 */
export function memoryStore(now: () => number = Date.now, elapsed: () => number = () => performance.now()): QuotaStore {
  const epochs = new Map<string, Epoch>();
  let open = true;

  // Swept only when a new epoch begins: no timer to leak, and no more than a few epochs of each length are ever held.
  function beginEpoch(name: string, remembered: number): Epoch {
    const at = elapsed();
    for (const [other, epoch] of epochs) if (epoch.forgetAt <= at) epochs.delete(other);
    const epoch = { forgetAt: at + remembered, used: new Map<string, number>() };
    epochs.set(name, epoch);
    return epoch;
  }

  function requireOpen(): void {
    if (!open) throw new StoreUnavailable('the in-memory quota store is closed');
  }

  return {
    async take(window: QuotaWindow, amount: number): Promise<Taking> {
      requireOpen();
      checkAmount(window, amount);
      const at = now();
      const windowStart = windowStartAt(window, at);
      const name = epochName(window, windowStart);
      const epoch = epochs.get(name) ?? beginEpoch(name, windowStart + lengthsRemembered * window.windowMs - at);
      const before = epoch.used.get(window.key) ?? 0;
      const granted = before + amount <= window.limit;
      const used = granted ? before + amount : before;
      if (granted && amount > 0) epoch.used.set(window.key, used);
      return { granted, used, windowStart, resetMs: windowStart + window.windowMs - at };
    },

    async giveBack(window: QuotaWindow, windowStart: number, amount: number): Promise<void> {
      requireOpen();
      checkAmount(window, amount);
      if (windowStartAt(window, now()) !== windowStart) return;
      const epoch = epochs.get(epochName(window, windowStart));
      const before = epoch?.used.get(window.key);
      if (epoch === undefined || before === undefined) return;
      epoch.used.set(window.key, Math.max(0, before - amount));
    },

    healthy: () => open,

    async close(): Promise<void> {
      open = false;
      epochs.clear();
    },
  };
}

function epochName(window: QuotaWindow, windowStart: number): string {
  return `${window.windowMs}:${windowStart}`;
}
