/** Which of a provider's keys a request goes out with: in turn, passing over those that the vendor refused or limits. */
import { createHmac, randomBytes } from 'node:crypto';

/** A key as it is remembered: by a digest that only this process can make. */
export interface KeyName {
  readonly id: string;
  /** Where it stands in the configuration, from 1. */
  readonly position: number;
}

const salt = randomBytes(32);

/** A name for `parts` that tells nothing about them. */
export const digestOf = (...parts: readonly string[]): string =>
  createHmac('sha256', salt).update(JSON.stringify(parts)).digest('base64url');

/** How long a refused key is left alone, and a limited one whose vendor names no time. */
const refusedMs = 60_000;
const limitedMs = 5_000;
/** A vendor that names a longer time is asked again before it. */
const longestRestMs = 900_000;
const mostRemembered = 10_000;

export class Keys {
  readonly #now: () => number;
  /** When a refused key, and a key limited for one model, may be used again. */
  readonly #refused = new Map<string, number>();
  readonly #limited = new Map<string, number>();
  readonly #turns = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  refused({ id }: KeyName): void {
    this.#rest(this.#refused, id, refusedMs);
  }

  /** Vendors count for each model, so another model may still be asked with it. */
  limited({ id }: KeyName, model: string, waitMs = limitedMs): void {
    this.#rest(this.#limited, `${id} ${model}`, Math.min(waitMs, longestRestMs));
  }

  answered({ id }: KeyName, model: string): void {
    this.#refused.delete(id);
    this.#limited.delete(`${id} ${model}`);
  }

  /** Those that rest for no reason. */
  ready<Key extends KeyName>(keys: readonly Key[], model: string): readonly Key[] {
    return keys.filter((key) => !this.#isRefused(key) && !this.#isLimited(key, model));
  }

  /** The next of those; undefined when there is none. */
  next<Key extends KeyName>(keys: readonly Key[], model: string): Key | undefined {
    return this.#inTurn(this.ready(keys, model));
  }

  /** For who has nowhere else to go: rather one that is limited than one that is refused. */
  nextAnyhow<Key extends KeyName>(keys: readonly Key[], model: string): Key | undefined {
    const accepted = keys.filter((key) => !this.#isRefused(key));
    return this.next(keys, model) ?? this.#inTurn(accepted.length > 0 ? accepted : keys);
  }

  /** Whether a vendor refused every one of them. */
  allRefused(keys: readonly KeyName[]): boolean {
    return keys.every((key) => this.#isRefused(key));
  }

  #isRefused({ id }: KeyName): boolean {
    return (this.#refused.get(id) ?? 0) > this.#now();
  }

  #isLimited({ id }: KeyName, model: string): boolean {
    return (this.#limited.get(`${id} ${model}`) ?? 0) > this.#now();
  }

  #rest(resting: Map<string, number>, name: string, ms: number): void {
    resting.delete(name);
    resting.set(name, this.#now() + ms);
    dropOldest(resting);
  }

  #inTurn<Key extends KeyName>(keys: readonly Key[]): Key | undefined {
    const [first] = keys;
    if (!first || keys.length === 1) return first;
    const group = keys.map(({ id }) => id).join();
    const turn = this.#turns.get(group) ?? 0;
    this.#turns.set(group, turn + 1);
    dropOldest(this.#turns);
    return keys[turn % keys.length];
  }
}

function dropOldest(remembered: Map<string, number>): void {
  const [oldest] = remembered.size > mostRemembered ? remembered.keys() : [];
  if (oldest !== undefined) remembered.delete(oldest);
}
