/** A counter for what happens with every request: added up here, and handed to the registry when somebody looks. */
import { Counter, type CounterConfiguration } from 'prom-client';

type Labels<Name extends string> = Readonly<Partial<Record<Name, string | number>>>;

interface Pending<Name extends string> {
  readonly labels: Labels<Name>;
  count: number;
}

export class GatheringCounter<Name extends string> {
  readonly #counter: Counter<Name>;
  readonly #names: readonly Name[];
  /** By the values of the labels: the registry's own way to them costs a hundred times as much. */
  readonly #pending = new Map<string, Pending<Name>>();

  constructor(configuration: Omit<CounterConfiguration<Name>, 'collect'>) {
    this.#names = configuration.labelNames ?? [];
    this.#counter = new Counter({ ...configuration, collect: () => this.#hand() });
  }

  inc(labels: Labels<Name>, count = 1): void {
    let key = '';
    for (const name of this.#names) key += `${labels[name]}\n`;
    const pending = this.#pending.get(key);
    if (pending) pending.count += count;
    else this.#pending.set(key, { labels, count });
  }

  /** Those without anything new stay known, so that the way to them stays short. */
  #hand(): void {
    for (const pending of this.#pending.values()) {
      if (pending.count > 0) this.#counter.inc(pending.labels, pending.count);
      pending.count = 0;
    }
  }
}
