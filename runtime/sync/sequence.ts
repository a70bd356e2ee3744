/** Runs tasks one after the other, in the order they were added, whatever becomes of each: failures are told. */
import { faultInWords, type Log } from '../log.ts';

export class Sequence {
  readonly #log: Log;
  #last: Promise<void> = Promise.resolve();

  constructor(log: Log) {
    this.#log = log;
  }

  add(name: string, task: () => void | Promise<void>): void {
    this.#last = this.#last.then(task).catch((error: unknown) => {
      const told = { event: 'effect_failed', effect: name, cause: faultInWords(error) };
      this.#log.error(told, 'a step of the revision life cycle failed');
    });
  }

  /** Resolves when nothing is left, tasks that tasks have added included. */
  async settled(): Promise<void> {
    for (let last; last !== this.#last;) {
      last = this.#last;
      await last;
    }
  }
}
