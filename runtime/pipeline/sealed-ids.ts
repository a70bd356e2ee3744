/** Puts the names that a consumer knows in place of a vendor's ids, and the other way round. */
import type { Json, JsonObject } from '../call.ts';
import type { Holdings } from '../dialects/holdings.ts';
import { HeadgateError } from '../errors.ts';
import type { Owner, Seal } from '../seal.ts';

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is not there and what is another's are told alike. */
export const notFound = (param?: string): HeadgateError =>
  new HeadgateError('object_not_found', 'No file or batch of that id is yours.', { param });

export class SealedIds {
  readonly #seal: Seal;
  readonly #owner: Owner;
  readonly #holdings: Holdings;

  constructor(seal: Seal, owner: Owner, holdings: Holdings) {
    this.#seal = seal;
    this.#owner = owner;
    this.#holdings = holdings;
  }

  /** Throws `object_not_found`. */
  open(name: string, param?: string): string {
    const id = this.#seal.idOf(name, this.#owner);
    if (id === undefined) throw notFound(param);
    return id;
  }

  /** What a client sends, for the vendor. */
  openIn(body: JsonObject): JsonObject {
    const opened = this.#holdings.ids.flatMap((field): [string, string][] => {
      const value = body[field];
      if (value === undefined || value === null) return [];
      if (typeof value !== 'string') throw notFound(field);
      return [[field, this.open(value, field)]];
    });
    return { ...body, ...Object.fromEntries(opened) };
  }

  /** With its question mark; empty where there is none. */
  openQuery(url: string): string {
    const given = new URLSearchParams(url.split('?', 2)[1]);
    for (const field of this.#holdings.ids) {
      const value = given.get(field);
      if (value !== null) given.set(field, this.open(value, field));
    }
    return given.size > 0 ? `?${given.toString()}` : '';
  }

  /** What a vendor answers, for the client. */
  closeIn(answer: JsonObject): JsonObject {
    const { data } = answer;
    const closed = this.#closeOne(answer);
    if (!Array.isArray(data)) return closed;
    const members = (data as readonly Json[]).map((each) => (isObject(each) ? this.#closeOne(each) : each));
    return { ...closed, data: members };
  }

  #closeOne(thing: JsonObject): JsonObject {
    const { ids, addresses = {} } = this.#holdings;
    const closed = ids.flatMap((field): [string, string][] => {
      const id = thing[field];
      return typeof id === 'string' && id !== '' ? [[field, this.#seal.nameOf(id, this.#owner)]] : [];
    });
    const names = Object.fromEntries(closed);
    const told = Object.entries(addresses).flatMap(([field, path]): [string, string][] =>
      typeof thing[field] === 'string' ? [[field, path.replace('{id}', names['id'] ?? '')]] : [],
    );
    return { ...thing, ...names, ...Object.fromEntries(told) };
  }
}
