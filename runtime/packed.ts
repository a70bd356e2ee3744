/**
 * A snapshot as bytes with an index: it crosses a thread border without being copied, and costs the garbage collector nothing
 * however large it is, because a member becomes an object only when someone asks for it.
 */
import type { Snapshot } from './snapshot.ts';
import { singleFields } from './snapshot-format.ts';

/** One collection as it travels. */
export interface PackedBytes {
  /** JSON of all names, in order. */
  readonly names: Uint8Array<ArrayBuffer>;
  /** JSON of `[name, member]`, one after the other. */
  readonly members: Uint8Array<ArrayBuffer>;
  /** Where in `members` each one ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
}

const textOf = ({ buffer, byteOffset }: Uint8Array<ArrayBuffer>, from: number, to: number): string =>
  Buffer.from(buffer, byteOffset + from, to - from).toString();

/** A collection of a snapshot. Members are parsed anew each time they are asked for. */
export class Packed<Member> {
  readonly #bytes: PackedBytes;

  constructor(bytes: PackedBytes) {
    this.#bytes = bytes;
  }

  get bytes(): PackedBytes {
    return this.#bytes;
  }

  get size(): number {
    return this.#bytes.ends.length;
  }

  names(): readonly string[] {
    const { names } = this.#bytes;
    return JSON.parse(textOf(names, 0, names.byteLength)) as string[];
  }

  at(position: number): readonly [name: string, member: Member] {
    const { members, ends } = this.#bytes;
    return JSON.parse(textOf(members, ends[position - 1] ?? 0, ends[position] ?? 0)) as [string, Member];
  }

  *[Symbol.iterator](): Generator<readonly [name: string, member: Member]> {
    for (let position = 0; position < this.size; position += 1) yield this.at(position);
  }
}

type Collection = Readonly<Record<string, unknown>>;

/** The snapshot with each of its collections packed. */
export type PackedSnapshot = {
  readonly [Key in keyof Snapshot]: Snapshot[Key] extends Readonly<Record<string, infer Member>>
    ? Packed<Member>
    : Snapshot[Key];
};

/** What was packed before, by the collection and by the member, which must not have changed. */
export class PackedBefore {
  readonly collections = new WeakMap<object, PackedBytes>();
  readonly members = new WeakMap<object, Buffer>();
}

const copyOf = ({ names, members, ends }: PackedBytes): PackedBytes => ({
  names: new Uint8Array(names),
  members: new Uint8Array(members),
  ends: new Uint32Array(ends),
});

function packMember(name: string, member: unknown, before: PackedBefore | undefined): Buffer {
  const known = typeof member === 'object' && member !== null ? before?.members.get(member) : undefined;
  const bytes = known ?? Buffer.from(JSON.stringify([name, member]));
  if (typeof member === 'object' && member !== null) before?.members.set(member, bytes);
  return bytes;
}

/** Its bytes will be given away: what is kept of them is a copy. */
function packOnce(collection: Collection, before: PackedBefore | undefined): PackedBytes {
  if (!before) return packCollection(collection);
  const known = before.collections.get(collection) ?? packCollection(collection, before);
  before.collections.set(collection, known);
  return copyOf(known);
}

function packCollection(collection: Collection, before?: PackedBefore): PackedBytes {
  const names = Object.keys(collection);
  const ends = new Uint32Array(names.length);
  let end = 0;
  const members = names.map((name, position) => {
    const member = packMember(name, collection[name], before);
    ends[position] = end += member.byteLength;
    return member;
  });
  return {
    names: new TextEncoder().encode(JSON.stringify(names)),
    members: new Uint8Array(Buffer.concat(members)),
    ends,
  };
}

type Plain = string | Snapshot['rollout'];

/** What travels for a snapshot: by field, its bytes or the plain value. */
export type SnapshotParcel = Readonly<Record<string, PackedBytes | Plain>>;

const isPacked = (value: PackedBytes | Plain): value is PackedBytes => typeof value === 'object' && 'ends' in value;

/** With `before`, collections and members that are the same objects as in a snapshot before are not written again. */
export function packSnapshot(snapshot: Snapshot, before?: PackedBefore): SnapshotParcel {
  const fields = Object.entries(snapshot).map(([field, value]) => [
    field,
    typeof value === 'object' && !singleFields.has(field) ? packOnce(value as Collection, before) : value,
  ]);
  return Object.fromEntries(fields) as SnapshotParcel;
}

/** A snapshot that was opened, as it travelled. */
export function parcelOf(snapshot: PackedSnapshot): SnapshotParcel {
  const fields = Object.entries(snapshot).map(([field, value]) => [
    field,
    value instanceof Packed ? value.bytes : value,
  ]);
  return Object.fromEntries(fields) as SnapshotParcel;
}

/** The memory behind a parcel, for handing it over instead of copying it. */
export function buffersOf(parcel: SnapshotParcel): ArrayBuffer[] {
  return Object.values(parcel).flatMap((value) =>
    isPacked(value) ? [value.names.buffer, value.members.buffer, value.ends.buffer] : [],
  );
}

export function openParcel(parcel: SnapshotParcel): PackedSnapshot {
  const fields = Object.entries(parcel).map(([field, value]) => [field, isPacked(value) ? new Packed(value) : value]);
  // What was packed from a `Snapshot`, field by field.
  return Object.fromEntries(fields) as PackedSnapshot;
}
