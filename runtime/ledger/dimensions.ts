/** What the ledger can be asked by. */

/** SQL over `s`, a series, and `p`, what was counted in which hour. */
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
  tag: "coalesce(t.value, '')",
  target: 's.target',
  provider: 's.provider',
  cache: 's.cache',
  status: "iif(s.status = 0, '', CAST(s.status AS TEXT))",
  code: 's.code',
  ended: 's.ended',
  hour: "strftime('%Y-%m-%dT%H:00Z', p.hour * 3600, 'unixepoch')",
  day: "strftime('%Y-%m-%d', p.hour * 3600, 'unixepoch')",
  month: "strftime('%Y-%m', p.hour * 3600, 'unixepoch')",
} as const;

export type Dimension = keyof typeof expressions;
export type Group = Readonly<Partial<Record<Dimension, string>>>;

export const dimensions = Object.keys(expressions) as readonly Dimension[];
export const isDimension = (text: string): text is Dimension => Object.hasOwn(expressions, text);
export const isTime = (dimension: Dimension): boolean => ['hour', 'day', 'month'].includes(dimension);
export const expressionOf = (dimension: Dimension): string => expressions[dimension];

export interface Condition {
  readonly dimension: Dimension;
  readonly value: string;
}

const tagsOf = "json_each(iif(s.tags = '', '[]', s.tags))";

/** A call with two tags stands in the group of each. */
export const joinFor = (by: readonly Dimension[]): string => (by.includes('tag') ? `LEFT JOIN ${tagsOf} t` : '');

const isMet = ({ dimension }: Condition): string =>
  dimension === 'tag' ? `EXISTS (SELECT 1 FROM ${tagsOf} w WHERE w.value = ?)` : `${expressionOf(dimension)} = ?`;

/** Of one dimension any, of several each. */
export function whereOf(conditions: readonly Condition[]): {
  readonly sql: string;
  readonly values: readonly string[];
} {
  const groups = [...Map.groupBy(conditions, ({ dimension }) => dimension).values()];
  return {
    sql: ['1', ...groups.map((group) => `(${group.map(isMet).join(' OR ')})`)].join(' AND '),
    values: groups.flat().map(({ value }) => value),
  };
}
