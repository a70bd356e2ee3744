/** A clock that only a test moves, and the counts of quotas that follow it. */
import { memoryStore, type QuotaStore } from '@headgate/runtime/decide';
import { parseDuration } from '@headgate/runtime/duration';
import type { Duration } from '../handles.ts';
import type { VirtualClock } from './kit.ts';

export class TestClock implements VirtualClock {
  #now = Date.UTC(2026, 0, 1);
  /** Never runs backwards, as the clock that a store forgets by. */
  #elapsed = 0;

  get now(): string {
    return new Date(this.#now).toISOString();
  }

  set(moment: string): void {
    const at = Date.parse(moment);
    const [, day] = /^(\d{4}-\d\d-\d\d)T.*(?:Z|[+-]\d\d:\d\d)$/.exec(moment) ?? [];
    if (Number.isNaN(at) || day === undefined)
      throw new RangeError(`'${moment}' is no moment: write one with its zone, such as '2028-02-29T23:59:59Z'`);
    // Date.parse takes 29 February of any year for a day, and lets it run over into March.
    if (!new Date(`${day}T00:00:00Z`).toISOString().startsWith(day))
      throw new RangeError(`'${moment}' is no moment: there is no ${day}`);
    this.#elapsed += Math.max(0, at - this.#now);
    this.#now = at;
  }

  advance(by: Duration): void {
    const ms = parseDuration(by);
    if (ms === undefined) throw new RangeError(`'${by}' is no duration: write one such as '90s' or '2h'`);
    this.#elapsed += ms;
    this.#now += ms;
  }

  store(): QuotaStore {
    return memoryStore(
      () => this.#now,
      () => this.#elapsed,
    );
  }
}
