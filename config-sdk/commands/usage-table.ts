/** Reports of the ledger as tables for a terminal. */
import type { ComparisonReport, UsageReport } from '@headgate/runtime/serve';

type Sum = UsageReport['rows'][number];

export const count = (value: number): string => value.toLocaleString('en');
export const ms = (value: number | undefined): string => (value === undefined ? '–' : `${count(value)} ms`);

/** As people write money; what is smaller than a hundredth of a cent is told with its digits. */
export function usd(text: string | undefined): string {
  if (text === undefined) return '–';
  const [whole = '0', fraction = ''] = text.split('.');
  return `$${Number(whole).toLocaleString('en')}.${fraction.slice(0, Number(whole) > 0 ? 4 : 9).padEnd(2, '0')}`;
}

const share = (part: number, all: number): string => (all === 0 ? '–' : `${Math.round((part / all) * 10_000) / 100} %`);

const columns = ['calls', 'refused', 'failed', 'tokens in', 'tokens out', 'cost', 'p50', 'p95'] as const;

const cellsOf = (sum: Sum): readonly string[] => [
  count(sum.calls),
  count(sum.refused),
  count(sum.failed),
  count(sum.inputTokens),
  count(sum.outputTokens),
  usd(sum.costUsd),
  ms(sum.p50Ms),
  ms(sum.p95Ms),
];

/** Names to the left, figures to the right. */
export function aligned(lines: readonly (readonly string[])[], names: number): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const told = lines.map((line) =>
    line
      .map((cell, column) => (column < names ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  // Names come from git, and may hold what a terminal takes for orders.
  return told.map((line) => `${line.replaceAll(/\p{Cc}/gu, ' ')}\n`).join('');
}

const named = (group: Sum['group'], by: UsageReport['by']): readonly string[] => by.map((name) => group[name] || '–');

export function usageTable({ from, to, by, rows, isCut, total }: UsageReport): string {
  const all =
    total && total.calls + total.attempts > 0 ? [['total', ...by.slice(1).map(() => ''), ...cellsOf(total)]] : [];
  const head = [...(by.length > 0 ? by : ['']), ...columns];
  const body = by.length > 0 ? rows.map((sum) => [...named(sum.group, by), ...cellsOf(sum)]) : [];
  const notes = [
    ...(isCut ? ['there are more rows: give --limit or --where'] : []),
    ...(total && total.unpriced > 0 ? [`${count(total.unpriced)} calls have no price and count as nothing`] : []),
    ...(total && total.estimated > 0
      ? [`${count(total.estimated)} calls were estimated, because the vendor did not tell`]
      : []),
  ];
  const table = all.length === 0 ? 'no calls\n' : aligned([head, ...body, ...all], Math.max(1, by.length));
  return `from ${from} to ${to}\n${table}${notes.map((note) => `${note}\n`).join('')}`;
}

function compared(one: Sum | undefined, other: Sum | undefined): readonly (readonly [string, string, string])[] {
  const both = (tell: (sum: Sum) => string) => [one ? tell(one) : '–', other ? tell(other) : '–'] as const;
  return [
    ['calls', ...both(({ calls }) => count(calls))],
    ['refused', ...both(({ refused, calls }) => share(refused, calls))],
    ['failed', ...both(({ failed, calls }) => share(failed, calls))],
    ['p50', ...both(({ p50Ms }) => ms(p50Ms))],
    ['p95', ...both(({ p95Ms }) => ms(p95Ms))],
    ['cost of a call', ...both(({ costPerCallUsd }) => usd(costPerCallUsd))],
    ['cost', ...both(({ costUsd }) => usd(costUsd))],
    ['attempts of a call', ...both(({ attempts, calls }) => (calls === 0 ? '–' : (attempts / calls).toFixed(2)))],
    [
      'tokens in of a call',
      ...both(({ inputTokens, calls }) => (calls === 0 ? '–' : count(Math.round(inputTokens / calls)))),
    ],
    [
      'tokens out of a call',
      ...both(({ outputTokens, calls }) => (calls === 0 ? '–' : count(Math.round(outputTokens / calls)))),
    ],
  ];
}

export function comparisonTable({ revision, with: other, by, groups }: ComparisonReport): string {
  const hours = ({ from, to }: typeof revision) => `${from.slice(0, 16)} to ${to.slice(0, 16)}`;
  const whole = aligned(
    [
      ['', revision.revision, other.revision],
      ['answered', hours(revision), hours(other)],
      ...compared(revision.total, other.total),
    ],
    1,
  );
  const parts = groups.map(
    (each) => `\n${named(each.group, by).join(', ')}\n${aligned(compared(each.revision, each.with), 1)}`,
  );
  return `${whole}${parts.join('')}`;
}
