/** Rows of usage as CSV (RFC 4180), for spreadsheets. */
import type { Sum } from './adding-up.ts';
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

function cell(value: string | number | undefined): string {
  const text = String(value ?? '');
  // A name that a spreadsheet would take for a formula.
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvOf(by: readonly Dimension[], rows: readonly Sum[]): string {
  const lines = rows.map((row) => [...by.map((name) => row.group[name]), ...figures.map((name) => row[name])]);
  return [[...by, ...figures], ...lines].map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}
