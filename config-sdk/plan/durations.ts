/** Which properties are durations, as the snapshot's schema says, options of kinds included: a snapshot has them in milliseconds. */
import { snapshotJsonSchema } from '../compile/json-schema.ts';
import { durationInWords } from './duration-words.ts';
import { isRecord } from './revision.ts';

function* namesIn(schema: unknown): Generator<string> {
  if (Array.isArray(schema)) for (const each of schema) yield* namesIn(each);
  if (!isRecord(schema)) return;
  const { properties } = schema;
  if (isRecord(properties))
    for (const [name, each] of Object.entries(properties))
      if (isRecord(each) && each['title'] === 'duration') yield name;
  for (const each of Object.values(schema)) yield* namesIn(each);
}

let names: ReadonlySet<string> | undefined;

/** Undefined where it is no duration. */
export function inDuration(name: string | undefined, value: unknown): string | undefined {
  if (name === undefined || typeof value !== 'number') return undefined;
  names ??= new Set(namesIn(snapshotJsonSchema()));
  return names.has(name) ? durationInWords(value) : undefined;
}
