/** Tells what became of revisions: one log line, metrics, and the last changes for status. */
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { phaseOf, type State } from './states.ts';
import type { Word } from './word/word.ts';

export interface Transition {
  readonly at: string;
  readonly to: string;
  readonly reason: string;
  readonly commit: string | undefined;
}

const mostKept = 10;
const levels = { accepted: 'info', held: 'warn', rolled_back: 'error' } as const;

export class History {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #entries: Transition[] = [];

  readonly #onChange: (() => void) | undefined;
  #spread: (before: State, after: State) => readonly Word[] = () => [];

  constructor(log: Log, metrics: Metrics, onChange?: () => void) {
    this.#log = log;
    this.#metrics = metrics;
    this.#onChange = onChange;
  }

  /** Newest first. */
  get entries(): readonly Transition[] {
    return this.#entries;
  }

  /** Who tells the world. It returns what there was to tell, and the log gets it from here. */
  spreadBy(spread: (before: State, after: State) => readonly Word[]): void {
    this.#spread = spread;
  }

  tell(before: State, after: State, serving: string | undefined): void {
    const to = phaseOf(after);
    const words = this.#spread(before, after);
    for (const { time: _logged, ...word } of words) this.#log[levels[word.event]]({ ...word, state: to }, word.detail);
    if (phaseOf(before) === to && before.held === after.held) return;
    this.#metrics.transitions.inc({ to, reason: after.held?.reason ?? '' });
    this.#metrics.held.reset();
    if (after.held) this.#metrics.held.set({ reason: after.held.reason }, 1);
    // The steps of a candidate are over in moments and change nothing that is served.
    if (after.work) return;
    const commit = after.held ? after.held.commit : after.active;
    this.#entries.unshift({ at: new Date().toISOString(), to, reason: after.held?.detail ?? '', commit });
    this.#entries.length = Math.min(this.#entries.length, mostKept);
    // One line for one change.
    const told = { event: 'config', state: to, ...after.held, artifact: commit, serving };
    if (words.length === 0) this.#log.info(told, 'revision state');
    this.#onChange?.();
  }
}
