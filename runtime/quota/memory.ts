/** Quota counts of a single process: exact, gone on restart. */
import { StoreUnavailable, type QuotaStore, type QuotaWindow, type Taking } from './store.ts';
import { checkAmount, lengthsRemembered, windowStartAt } from './window.ts';

/** All counts of one window length that began together, so that they are also forgotten together. */
interface Epoch {
  readonly forgetAt: number;
  readonly used: Map<string, number>;
}

export function memoryStore(now: () => number = Date.now): QuotaStore {
  const epochs = new Map<string, Epoch>();
  let open = true;

  // Swept only when a new epoch begins: no timer to leak, and no more than a few epochs of each length are ever held.
  function beginEpoch(name: string, window: QuotaWindow, windowStart: number): Epoch {
    const at = now();
    for (const [other, epoch] of epochs) if (epoch.forgetAt <= at) epochs.delete(other);
    const epoch = { forgetAt: windowStart + lengthsRemembered * window.windowMs, used: new Map<string, number>() };
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
      const epoch = epochs.get(name) ?? beginEpoch(name, window, windowStart);
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
