/** What was started, to be ended in the reverse order; and requests that end by themselves, to be waited for. */

export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];

  add<Part extends { close(): Promise<void> }>(part: Part): Part {
    this.#closers.unshift(() => part.close());
    return part;
  }

  /** All of them, whatever becomes of one; rejects with what the first failed with. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0)) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** How long a request may go on once its connection is gone. */
const longestMs = 2_000;

/** Requests under way: a client may have all of its answer before what it cost is settled and written down. */
export class Visits {
  #open = 0;
  #whenNone: (() => void) | undefined;

  /** `visit` never rejects. */
  add(visit: Promise<void>): void {
    this.#open += 1;
    void visit.then(() => this.#end());
  }

  async close(): Promise<void> {
    if (this.#open === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<void>((resolve) => {
      this.#whenNone = resolve;
      timer = setTimeout(resolve, longestMs);
    });
    await overdue;
    clearTimeout(timer);
  }

  #end(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#whenNone?.();
  }
}
