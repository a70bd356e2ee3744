/** How many retries an upstream may get: a share of its requests, so that retries never multiply the load of one in trouble. */

const share = 0.2;
/** So many are always allowed in a window: with little traffic a share of it would be nothing. */
const floor = 10;
const seconds = 10;

interface Second {
  at: number;
  requests: number;
  retries: number;
}

export class RetryBudget {
  readonly #now: () => number;
  readonly #window: Second[] = Array.from({ length: seconds }, () => ({ at: -1, requests: 0, retries: 0 }));

  constructor(now: () => number) {
    this.#now = now;
  }

  #second(): Second | undefined {
    const at = Math.floor(this.#now() / 1000);
    const second = this.#window[at % seconds];
    if (second && second.at !== at) Object.assign(second, { at, requests: 0, retries: 0 });
    return second;
  }

  asked(): void {
    const second = this.#second();
    if (second) second.requests += 1;
  }

  /** Whether one more retry fits; if so, it is counted. */
  take(): boolean {
    const second = this.#second();
    const since = Math.floor(this.#now() / 1000) - seconds;
    let [requests, retries] = [0, 0];
    for (const each of this.#window) {
      if (each.at <= since) continue;
      requests += each.requests;
      retries += each.retries;
    }
    if (!second || retries >= Math.max(floor, share * requests)) return false;
    second.retries += 1;
    return true;
  }
}
