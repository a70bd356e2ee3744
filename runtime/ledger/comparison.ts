/** What a commit did: the calls that one revision answered beside those of another. */
import type { DatabaseSync } from 'node:sqlite';
import { addUp, type Asked, type Source, type Sum } from './adding-up.ts';
import type { Group } from './dimensions.ts';
import { hourMs } from './tables.ts';

export interface ComparisonQuestion extends Asked {
  /** The beginning of the commit is enough. */
  readonly revision: string;
  readonly with: string;
}

export interface Side {
  readonly revision: string;
  /** The hours in which it answered, in milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly total: Sum | undefined;
}

export interface Comparison {
  /** What was wrong with the question: a commit that is unknown, or of which there are several. */
  readonly problem?: string;
  readonly revision?: Side;
  readonly with?: Side;
  /** Undefined: it had no such calls. */
  readonly groups: readonly {
    readonly group: Group;
    readonly revision: Sum | undefined;
    readonly with: Sum | undefined;
  }[];
}

/** All hours, by series: those of one revision are few. */
const source: Source = {
  figures: 'series s CROSS JOIN hour p ON p.series = s.id',
  latencies: 'series s CROSS JOIN latency p ON p.series = s.id',
  values: [],
};

const shortLength = 12;

function revisionNamed(
  database: DatabaseSync,
  given: string,
): { readonly name: string } | { readonly problem: string } {
  const short = given.slice(0, shortLength);
  const found = database
    .prepare('SELECT DISTINCT revision FROM series WHERE revision >= ? AND revision < ? LIMIT 2')
    .all(short, `${short}\u{10FFFF}`)
    .map(({ revision }) => String(revision));
  const [name] = found;
  if (name === undefined) return { problem: `no call in the ledger was answered by revision ${short}` };
  return found.length === 1 ? { name } : { problem: `several revisions begin with ${short}: ${found.join(', ')}` };
}

function sideOf(database: DatabaseSync, revision: string, asked: Asked): Side {
  const where = [...asked.where, { dimension: 'revision', value: revision } as const];
  const [total] = addUp(database, source, { by: [], where, limit: 1 });
  const span = database
    .prepare(
      'SELECT min(p.hour) AS first, max(p.hour) AS last FROM series s CROSS JOIN hour p ON p.series = s.id WHERE s.revision = ?',
    )
    .get(revision);
  const [first, last] = [Number(span?.['first'] ?? 0), Number(span?.['last'] ?? 0)];
  return { revision, from: first * hourMs, to: (last + 1) * hourMs, total };
}

export function comparisonFrom(database: DatabaseSync, question: ComparisonQuestion): Comparison {
  const [one, other] = [revisionNamed(database, question.revision), revisionNamed(database, question.with)];
  if ('problem' in one) return { problem: one.problem, groups: [] };
  if ('problem' in other) return { problem: other.problem, groups: [] };
  const groupsOf = (value: string) => {
    if (question.by.length === 0) return [];
    return addUp(database, source, { ...question, where: [...question.where, { dimension: 'revision', value }] });
  };
  const groups = new Map<string, Comparison['groups'][number]>();
  for (const sum of groupsOf(one.name))
    groups.set(JSON.stringify(sum.group), { group: sum.group, revision: sum, with: undefined });
  for (const sum of groupsOf(other.name)) {
    const key = JSON.stringify(sum.group);
    groups.set(key, { group: sum.group, revision: groups.get(key)?.revision, with: sum });
  }
  return {
    revision: sideOf(database, one.name, question),
    with: sideOf(database, other.name, question),
    groups: [...groups.values()],
  };
}
