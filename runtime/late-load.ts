/** Something that is loaded with its first use, and kept. A load that failed, for want of files or memory, is tried again with the next. */
export class LateLoad<Value> {
  readonly #load: () => Promise<Value>;
  #loaded: Promise<Value> | undefined;

  constructor(load: () => Promise<Value>) {
    this.#load = load;
  }

  get(): Promise<Value> {
    if (this.#loaded) return this.#loaded;
    const loading = this.#load();
    this.#loaded = loading;
    loading.catch(() => (this.#loaded = undefined));
    return loading;
  }

  /** What was loaded, or is being; undefined where nothing is. */
  async known(): Promise<Value | undefined> {
    return this.#loaded?.catch(() => undefined);
  }
}
