/** What was started, to be ended in the reverse order; and requests that end by themselves, to be waited for. */

export class Closers {
  readonly #closers: (() => Promise<void>)[] = [];

  add<Part extends { close(): Promise<void> }>(part: Part): Part {
    this.#closers.unshift(() => part.close());
    return part;
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}

/** How long a request may go on once its connection is gone. */
const longestMs = 2_000;

/** Requests under way: a client may have all of its answer before what it cost is settled and written down. */
export class Visits {
  readonly #open = new Set<Promise<void>>();

  add(visit: Promise<void>): void {
    this.#open.add(visit);
    void visit.finally(() => this.#open.delete(visit));
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise((resolve) => (timer = setTimeout(resolve, longestMs)));
    await Promise.race([Promise.all(this.#open), overdue]);
    clearTimeout(timer);
  }
}
