/** Tells what became of revisions: one log line, metrics, and the last changes for status. */
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { phaseOf, type State } from './states.ts';

export interface Transition {
  readonly at: string;
  readonly to: string;
  readonly reason: string;
  readonly commit: string | undefined;
}

const mostKept = 10;

export class History {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #entries: Transition[] = [];

  readonly #onChange: (() => void) | undefined;

  constructor(log: Log, metrics: Metrics, onChange?: () => void) {
    this.#log = log;
    this.#metrics = metrics;
    this.#onChange = onChange;
  }

  /** Newest first. */
  get entries(): readonly Transition[] {
    return this.#entries;
  }

  tell(before: State, after: State, serving: string | undefined): void {
    const to = phaseOf(after);
    if (phaseOf(before) === to && before.held === after.held) return;
    this.#metrics.transitions.inc({ to, reason: after.held?.reason ?? '' });
    this.#metrics.held.reset();
    if (after.held) this.#metrics.held.set({ reason: after.held.reason }, 1);
    // The steps of a candidate are over in moments and change nothing that is served.
    if (after.work) return;
    const commit = after.held ? after.held.commit : after.active;
    this.#entries.unshift({ at: new Date().toISOString(), to, reason: after.held?.detail ?? '', commit });
    this.#entries.length = Math.min(this.#entries.length, mostKept);
    const told = { event: 'config', state: to, ...after.held, artifact: commit, serving };
    if (after.held) this.#log.warn(told, 'revision held');
    else this.#log.info(told, 'revision state');
    this.#onChange?.();
  }
}
