/** Rows of usage and single calls as CSV (RFC 4180), for spreadsheets. */
import type { Sum } from './adding-up.ts';
import type { Call } from './calls.ts';
import type { Dimension } from './dimensions.ts';

const figures = [
  'calls',
  'refused',
  'failed',
  'left',
  'attempts',
  'inputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
  'costUsd',
  'costPerCallUsd',
  'estimated',
  'unpriced',
  'p50Ms',
  'p95Ms',
] as const satisfies readonly (keyof Sum)[];

function cell(value: Cell): string {
  const text = String(value ?? '');
  // A name that a spreadsheet would take for a formula.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const callColumns = [
  'at',
  'request',
  'revision',
  'model',
  'route',
  'surface',
  'prompt',
  'organisation',
  'team',
  'consumer',
  'key',
  'tags',
  'target',
  'provider',
  'cache',
  'status',
  'code',
  'ended',
  'ms',
  'firstMs',
  'attempts',
  'inputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
  'costUsd',
  'estimated',
  'unpriced',
] as const satisfies readonly (keyof Call)[];

type Cell = string | number | undefined;

const written = (lines: readonly (readonly Cell[])[]): string =>
  lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');

export function csvOf(by: readonly Dimension[], rows: readonly Sum[]): string {
  const lines = rows.map((row) => [...by.map((name) => row.group[name]), ...figures.map((name) => row[name])]);
  return written([[...by, ...figures], ...lines]);
}

export function csvOfCalls(calls: readonly Call[]): string {
  const told = (value: Call[(typeof callColumns)[number]]): Cell =>
    typeof value === 'object' ? value.join(' ') : value;
  return written([callColumns, ...calls.map((call) => callColumns.map((name) => told(call[name])))]);
}
