/**
 * Those who are there now, where many come and go. A `Set` would do, but for what each of its tables leaves behind: V8 links a
 * table that was outgrown to the one after it, so that one old table keeps all who ever came until the next full collection.
 */

interface Place<Member> {
  readonly member: Member;
  at: number;
}

/** Safe to call twice. */
export type Leave = () => void;

export class Crowd<Member> {
  readonly #places: Place<Member>[] = [];

  get size(): number {
    return this.#places.length;
  }

  /** In no order. Whoever comes or goes meanwhile may be passed by. */
  *[Symbol.iterator](): IterableIterator<Member> {
    for (const { member } of this.#places) yield member;
  }

  enter(member: Member): Leave {
    const place = { member, at: this.#places.length };
    this.#places.push(place);
    return () => this.#leave(place);
  }

  #leave(place: Place<Member>): void {
    if (this.#places[place.at] !== place) return;
    const last = this.#places.pop();
    if (!last || last === place) return;
    last.at = place.at;
    this.#places[place.at] = last;
  }
}
