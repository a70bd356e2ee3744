/** Asks the source for the tip, again and again: on time, with jitter, and more patiently after failures. */
import { causeInWords, type Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { nextPollMs } from './backoff.ts';
import { SourceError, type RevisionSource } from './source.ts';

export interface PollerOptions {
  readonly source: RevisionSource;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Asked before each wait: a gateway without anything to serve polls faster. */
  readonly intervalMs: () => number;
  /** The source answered in full; undefined: it has no such ref. */
  readonly onTip: (tip: string | undefined) => Promise<void>;
}

export interface SourceStatus {
  readonly lastPollAt: string | undefined;
  readonly lastOkAt: string | undefined;
  readonly nextPollAt: string | undefined;
  readonly errorCode: string | undefined;
  readonly error: string | undefined;
  readonly consecutiveErrors: number;
  /** Time since `lastOkAt`, measured: the difference of two dates is wrong when the clock was set in between. */
  readonly staleSeconds: number | undefined;
}

export const neverPolled: SourceStatus = {
  lastPollAt: undefined,
  lastOkAt: undefined,
  nextPollAt: undefined,
  errorCode: undefined,
  error: undefined,
  consecutiveErrors: 0,
  staleSeconds: undefined,
};

export class Poller {
  readonly #options: PollerOptions;
  readonly #stopped = new AbortController();
  #status = neverPolled;
  #okAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #again = false;
  #retryAfterMs: number | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  get status(): SourceStatus {
    const staleSeconds = this.#okAt === undefined ? undefined : Math.round((performance.now() - this.#okAt) / 1000);
    return { ...this.#status, staleSeconds };
  }

  /** Aborted when polling ends for good. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /** Polls now. A poll under way is followed by another, so that what was pushed meanwhile is seen. */
  async poke(): Promise<void> {
    if (this.stopped.aborted) return;
    if (this.#polling) {
      this.#again = true;
      return this.#polling;
    }
    clearTimeout(this.#timer);
    this.#polling = this.#poll();
    await this.#polling;
    this.#polling = undefined;
    if (this.#again) {
      this.#again = false;
      return this.poke();
    }
    this.#schedule();
  }

  /** Something that was asked of the source failed: the next poll comes later. */
  failed(error: unknown): void {
    if (this.stopped.aborted) return;
    const code = error instanceof SourceError ? error.code : 'GIT_FAILED';
    const consecutiveErrors = this.#status.consecutiveErrors + 1;
    this.#change({ errorCode: code, error: error instanceof Error ? error.message : code, consecutiveErrors });
    this.#retryAfterMs = error instanceof SourceError ? error.retryAfterMs : undefined;
    this.#options.metrics.pollErrors.inc({ code });
    this.#options.log.warn(
      { event: 'poll_failed', code, errors: consecutiveErrors, cause: causeInWords(error) },
      'the source could not be read; what serves stays',
    );
  }

  /** Reckons anew when to poll next: what `intervalMs` answers has changed. */
  replan(): void {
    // Under way, or not begun: it is reckoned when that has ended.
    if (this.#polling || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('stopping'));
    clearTimeout(this.#timer);
    await this.#polling;
    await this.#options.source.close();
  }

  #change(change: Partial<SourceStatus>): void {
    this.#status = { ...this.#status, ...change };
  }

  #schedule(): void {
    if (this.stopped.aborted) return;
    const { consecutiveErrors } = this.#status;
    const intervalMs = this.#options.intervalMs();
    const ms = nextPollMs({ intervalMs, consecutiveErrors, retryAfterMs: this.#retryAfterMs, random: Math.random });
    this.#change({ nextPollAt: new Date(Date.now() + ms).toISOString() });
    this.#timer = setTimeout(() => void this.poke(), ms);
  }

  async #poll(): Promise<void> {
    const { source, metrics, onTip } = this.#options;
    this.#change({ lastPollAt: new Date().toISOString() });
    try {
      const tip = await source.tip(this.stopped);
      this.#okAt = performance.now();
      this.#change({
        lastOkAt: new Date().toISOString(),
        errorCode: undefined,
        error: undefined,
        consecutiveErrors: 0,
      });
      this.#retryAfterMs = undefined;
      metrics.lastPollSuccess.set(Date.now() / 1000);
      await onTip(tip);
    } catch (error) {
      this.failed(error);
    }
  }
}
