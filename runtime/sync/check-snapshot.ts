/**
 * Holds a parsed document against the snapshot's schema, some members at a time: a list of a million complaints would take
 * more memory than the document, and a thread that runs out of memory can take the process with it.
 */
import { ArtifactRefused } from '../artifact-refused.ts';
import { inWords } from '../shape.ts';
import { singleFields, snapshotSchema, type Snapshot } from '../snapshot.ts';

const membersAtOnce = 500;

type Members = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCollection = (field: string, value: unknown): value is Members => isObject(value) && !singleFields.has(field);

/** What the schema made of collections and of their members, for documents that share some of them with the one before. */
export type Checked = WeakMap<object, object>;

function* portionsOf(members: Members, names: readonly string[]): Generator<Members> {
  for (let from = 0; from < names.length; from += membersAtOnce)
    yield Object.fromEntries(names.slice(from, from + membersAtOnce).map((name) => [name, members[name]]));
}

/** The document with its collections emptied, or filled with `members` of one of them. */
function outlineOf(document: Members, filled = '', members: Members = {}): Members {
  const fields = Object.entries(document).map(([field, value]) => {
    if (!isCollection(field, value)) return [field, value];
    return [field, field === filled ? members : {}];
  });
  return Object.fromEntries(fields) as Members;
}

function judge(document: unknown): Snapshot {
  const judged = snapshotSchema.safeParse(document);
  if (!judged.success) throw new ArtifactRefused('schema', `snapshot.json: ${inWords(judged.error.issues)}`);
  return judged.data;
}

/** A member that is the same object as one that was checked has the same name and stands in the same collection. */
function checkCollection(document: Members, field: string, checked: Checked): object {
  const members = document[field] as Members;
  const knownOf = (name: string): object | undefined => {
    const member = members[name];
    return isObject(member) ? checked.get(member) : undefined;
  };
  const fresh: Record<string, unknown> = {};
  const names = Object.keys(members);
  const unknown = names.filter((name) => knownOf(name) === undefined);
  for (const portion of portionsOf(members, unknown))
    Object.assign(fresh, judge(outlineOf(document, field, portion))[field as keyof Snapshot]);
  const all: Record<string, unknown> = {};
  for (const name of names) {
    const [member, made] = [members[name], knownOf(name) ?? fresh[name]];
    if (isObject(member) && isObject(made)) checked.set(member, made);
    all[name] = made;
  }
  return all;
}

/** Throws `ArtifactRefused` with the first complaints. With `checked`, parts of `document` that are in it must not have changed. */
export function checkSnapshot(document: unknown, checked: Checked = new WeakMap()): Snapshot {
  if (!isObject(document)) return judge(document);
  const snapshot: Record<string, unknown> = judge(outlineOf(document));
  for (const [field, members] of Object.entries(document)) {
    if (!isCollection(field, members)) continue;
    const all = checked.get(members) ?? checkCollection(document, field, checked);
    checked.set(members, all);
    snapshot[field] = all;
  }
  // Each of its fields has been through the schema.
  return snapshot as Snapshot;
}
