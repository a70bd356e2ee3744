/** Waits for a condition that announces itself with no event. */
import { setTimeout as wait } from 'node:timers/promises';

export async function until<Value>(
  what: string,
  probe: () => Promise<Value | undefined | false>,
  withinMs = 5_000,
): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await wait(10);
  }
}
