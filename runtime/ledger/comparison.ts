/** What a commit did: the calls that one revision answered beside those of another. */
import type { DatabaseSync } from 'node:sqlite';
import { addUp, type Asked, type Source, type Sum } from './adding-up.ts';
import { expressionsIn, type Group } from './dimensions.ts';
import { hourMs, spanMs } from './tables.ts';

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

/** All of it, by series: those of one revision are few. */
function sourceFor({ by, where }: Asked): Source {
  const needsHours = by.includes('hour') || where.some(({ dimension }) => dimension === 'hour');
  const grain = needsHours ? 'hour' : 'day';
  const lying = (table: string) =>
    `series s CROSS JOIN (SELECT *, ${grain} * ${spanMs[grain] / 1_000} AS at FROM ${table}) p ON p.series = s.id`;
  return {
    figures: lying(grain),
    latencies: lying(`latency_${grain}`),
    values: [],
    expressionOf: expressionsIn([{ from: 0, to: Number.POSITIVE_INFINITY, offsetMs: 0 }]),
  };
}

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

type Spans = Pick<Side, 'from' | 'to'>;

function spanOf(database: DatabaseSync, revision: string): Spans {
  const span = database
    .prepare(
      'SELECT min(p.hour) AS first, max(p.hour) AS last FROM series s CROSS JOIN hour p ON p.series = s.id WHERE s.revision = ?',
    )
    .get(revision);
  const [first, last] = [Number(span?.['first'] ?? 0), Number(span?.['last'] ?? 0)];
  return { from: first * hourMs, to: (last + 1) * hourMs };
}

export function comparisonFrom(database: DatabaseSync, question: ComparisonQuestion): Comparison {
  const [one, another] = [revisionNamed(database, question.revision), revisionNamed(database, question.with)];
  if ('problem' in one) return { problem: one.problem, groups: [] };
  if ('problem' in another) return { problem: another.problem, groups: [] };
  const source = sourceFor(question);
  const answeredBy = ({ name }: { readonly name: string }) => {
    const where = [...question.where, { dimension: 'revision', value: name } as const];
    const { rows, total } = addUp(database, source, { ...question, where });
    return { rows, side: { revision: name, ...spanOf(database, name), total } };
  };
  const [revision, other] = [answeredBy(one), answeredBy(another)];
  const groups = new Map<string, Comparison['groups'][number]>();
  if (question.by.length > 0) {
    for (const sum of revision.rows)
      groups.set(JSON.stringify(sum.group), { group: sum.group, revision: sum, with: undefined });
    for (const sum of other.rows) {
      const key = JSON.stringify(sum.group);
      groups.set(key, { group: sum.group, revision: groups.get(key)?.revision, with: sum });
    }
  }
  return { revision: revision.side, with: other.side, groups: [...groups.values()] };
}
