/**
 * Holds a parsed document against the snapshot's schema, some members at a time: a list of a million complaints would take
 * more memory than the document, and a thread that runs out of memory can take the process with it.
 */
import { ArtifactRefused, issuesInWords } from '../artifact.ts';
import { singleFields, snapshotSchema, type Snapshot } from '../snapshot.ts';

const membersAtOnce = 500;

type Members = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCollection = (field: string, value: unknown): value is Members => isObject(value) && !singleFields.has(field);

function* portionsOf(members: Members): Generator<Members> {
  const names = Object.keys(members);
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
  if (!judged.success) throw new ArtifactRefused('schema', `snapshot.json: ${issuesInWords(judged.error)}`);
  return judged.data;
}

/** Throws `ArtifactRefused` with the first complaints. */
export function checkSnapshot(document: unknown): Snapshot {
  if (!isObject(document)) return judge(document);
  const snapshot: Record<string, unknown> = judge(outlineOf(document));
  for (const [field, members] of Object.entries(document)) {
    if (!isCollection(field, members)) continue;
    const all = {};
    for (const portion of portionsOf(members))
      Object.assign(all, judge(outlineOf(document, field, portion))[field as keyof Snapshot]);
    snapshot[field] = all;
  }
  // Each of its fields has been through the schema.
  return snapshot as Snapshot;
}
