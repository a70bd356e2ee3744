/** Reminds of keys that will expire: one line in the log each day, from two weeks before, so that somebody rotates them in time. */
import type { KeyExpiry } from '../generation/generation.ts';
import type { Log } from '../log.ts';

const dayMs = 86_400_000;
const aheadMs = 14 * dayMs;
const everyMs = 60_000;
/** The log is no list of keys: the metric has them all. */
const mostNamed = 20;

export interface ReminderOptions {
  /** Of what serves; none before anything does. */
  readonly expiries: () => readonly KeyExpiry[];
  readonly log: Log;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

export class KeyReminder {
  readonly #options: ReminderOptions;
  readonly #timer: NodeJS.Timeout;
  #toldOn: number | undefined;

  constructor(options: ReminderOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), everyMs);
    this.#timer.unref();
  }

  look(): void {
    const { expiries, log, now } = this.#options;
    const at = now();
    const today = Math.floor(at / dayMs);
    if (today === this.#toldOn) return;
    const soon = expiries()
      .filter((key) => key.at > at && key.at - at <= aheadMs)
      .toSorted((one, other) => one.at - other.at);
    if (soon.length === 0) return;
    this.#toldOn = today;
    const keys = soon
      .slice(0, mostNamed)
      .map((key) => ({ consumer: key.consumer, key: key.key, at: new Date(key.at).toISOString() }));
    log.warn({ event: 'keys_expire', keys, count: soon.length }, 'keys expire within two weeks');
  }

  close(): Promise<void> {
    clearInterval(this.#timer);
    return Promise.resolve();
  }
}
