/** What the ledger can be asked by. */
import { offsetText, type Stretch } from './zone.ts';

/** SQL over `s`, a series. */
const expressions = {
  revision: 's.revision',
  model: "iif(s.matched LIKE 'model:%', substr(s.matched, 7), '')",
  route: "iif(s.matched LIKE 'route:%', substr(s.matched, 7), '')",
  matched: 's.matched',
  surface: 's.surface',
  prompt: 's.prompt',
  organisation: 's.organisation',
  team: 's.team',
  consumer: 's.consumer',
  key: 's.key',
  tag: "coalesce(t.value, '')",
  target: 's.target',
  provider: 's.provider',
  cache: 's.cache',
  status: "iif(s.status = 0, '', CAST(s.status AS TEXT))",
  code: 's.code',
  ended: 's.ended',
} as const;

const times = ['hour', 'day', 'month'] as const;
export type Time = (typeof times)[number];
export type Dimension = keyof typeof expressions | Time;
export type Group = Readonly<Partial<Record<Dimension, string>>>;

export const dimensions: readonly Dimension[] = [
  ...(Object.keys(expressions) as (keyof typeof expressions)[]),
  ...times,
];
export const isDimension = (text: string): text is Dimension => dimensions.some((name) => name === text);
export const isTime = (dimension: Dimension): dimension is Time => times.some((name) => name === dimension);

/** Turns dimensions into SQL over `s`, a series, and `p`, what was counted from the second `p.at` on. */
export type Expressions = (dimension: Dimension) => string;

/** Hours are those of UTC, as the clocks showed them: where these stand half an hour off, they begin at half past. */
export function expressionsIn(stretches: readonly Stretch[]): Expressions {
  const [first] = stretches;
  const isUtc = stretches.length === 1 && first?.offsetMs === 0;
  const at = (moment: string, told: (offsetMs: number) => string | number) => {
    const cases = stretches
      .slice(0, -1)
      .map(({ to, offsetMs }) => `WHEN ${moment} < ${to / 1_000} THEN ${told(offsetMs)}`);
    const last = told(stretches.at(-1)?.offsetMs ?? 0);
    return cases.length === 0 ? last : `CASE ${cases.join(' ')} ELSE ${last} END`;
  };
  const shown = (format: string, moment: string) =>
    `strftime('${format}', ${moment} + (${at(moment, (offsetMs) => offsetMs / 1_000)}), 'unixepoch')`;
  const hour = 'p.at - p.at % 3600';
  const hours = shown('%Y-%m-%dT%H:%M', hour);
  return (dimension) => {
    switch (dimension) {
      case 'hour':
        return `${hours} || ${isUtc ? "'Z'" : at(hour, (offsetMs) => `'${offsetText(offsetMs)}'`)}`;
      case 'day':
        return shown('%Y-%m-%d', 'p.at');
      case 'month':
        return shown('%Y-%m', 'p.at');
      default:
        return expressions[dimension];
    }
  };
}

export interface Condition {
  readonly dimension: Dimension;
  readonly value: string;
}

const tagsOf = "json_each(iif(s.tags = '', '[]', s.tags))";

/** A call with two tags stands in the group of each. */
export const joinFor = (by: readonly Dimension[]): string => (by.includes('tag') ? `LEFT JOIN ${tagsOf} t` : '');

const isMet = ({ dimension }: Condition, expressionOf: Expressions): string =>
  dimension === 'tag' ? `EXISTS (SELECT 1 FROM ${tagsOf} w WHERE w.value = ?)` : `${expressionOf(dimension)} = ?`;

/** Of one dimension any, of several each. */
export function whereOf(
  conditions: readonly Condition[],
  expressionOf: Expressions,
): {
  readonly sql: string;
  readonly values: readonly string[];
} {
  const groups = [...Map.groupBy(conditions, ({ dimension }) => dimension).values()];
  return {
    sql: ['1', ...groups.map((group) => `(${group.map((each) => isMet(each, expressionOf)).join(' OR ')})`)].join(
      ' AND ',
    ),
    values: groups.flat().map(({ value }) => value),
  };
}
