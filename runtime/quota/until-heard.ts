/** What a store has to be told and did not hear: said again until it has heard it. */
import { StoreUnavailable } from './store.ts';

const againAfterMs = 500;
/** Said at once, so that a store that comes back is not overrun. */
const saidAtOnce = 200;
/** Of an outage that lasts, the oldest are given up first: their holds end first too. */
const mostKept = 50_000;

export class UntilHeard<Item> {
  readonly #say: (items: readonly Item[]) => Promise<void>;
  #unheard: Item[] = [];
  #timer: NodeJS.Timeout | undefined;
  #saying: Promise<void> | undefined;

  /** `say` rejects with `StoreUnavailable` where the store did not hear all of it, and may be told the same twice. */
  constructor(say: (items: readonly Item[]) => Promise<void>) {
    this.#say = say;
  }

  add(items: readonly Item[]): void {
    if (items.length === 0) return;
    this.#unheard.push(...items);
    this.#unheard.splice(0, this.#unheard.length - mostKept);
    this.#saySoon();
  }

  async close(): Promise<void> {
    await this.#saying;
    if (this.#unheard.length > 0) await this.#sayAll();
    clearTimeout(this.#timer);
  }

  #saySoon(): void {
    // It keeps no process alive that has nothing else to do; `close` tries once more.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // What came while all was being said is said with it.
      this.#saying ??= this.#sayAll().finally(() => (this.#saying = undefined));
    }, againAfterMs).unref();
  }

  async #sayAll(): Promise<void> {
    try {
      while (this.#unheard.length > 0) {
        const said = this.#unheard.slice(0, saidAtOnce);
        await this.#say(said);
        const heard = new Set(said);
        this.#unheard = this.#unheard.filter((each) => !heard.has(each));
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#saySoon();
    }
  }
}
