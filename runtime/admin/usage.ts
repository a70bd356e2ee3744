/** What the admin plane tells from the ledger: what was used, by whatever it is asked by, single calls, and what a commit changed. */
import type { Sum } from '../ledger/adding-up.ts';
import type { Call } from '../ledger/calls.ts';
import { csvOf, csvOfCalls } from '../ledger/csv.ts';
import type { Dimension, Group } from '../ledger/dimensions.ts';
import { NoLedger, type Ledger } from '../ledger/ledger.ts';
import { timeIn, utc } from '../ledger/zone.ts';
import { json, problem, type Answer, type Plane } from './plane.ts';
import {
  afterOf,
  BadQuestion,
  byOf,
  cursorText,
  formatOf,
  isKnown,
  limitOf,
  one,
  revisionOf,
  spanOf,
  whereOf,
  whereOfCalls,
  zoneOf,
  type Query,
} from './usage-question.ts';

export interface UsageReport {
  /** Of single calls that are no longer kept only whole hours are known: then this is not quite what was asked for. */
  readonly from: string;
  readonly to: string;
  /** Whose hours, days and months these are. */
  readonly zone: string;
  readonly by: readonly Dimension[];
  readonly rows: readonly Sum[];
  /** There are more rows than `limit`. */
  readonly isCut: boolean;
  readonly total: Sum | undefined;
}

export interface CallsReport {
  readonly from: string;
  readonly to: string;
  readonly zone: string;
  /** The newest first. */
  readonly calls: readonly Call[];
  /** Asked for with `after=`, what comes behind them; absent where nothing does. */
  readonly next: string | undefined;
}

interface SideReport {
  readonly revision: string;
  /** The hours in which it answered. */
  readonly from: string;
  readonly to: string;
  readonly total: Sum | undefined;
}

export interface ComparisonReport {
  readonly by: readonly Dimension[];
  readonly revision: SideReport;
  readonly with: SideReport;
  readonly groups: readonly { readonly group: Group; readonly revision?: Sum; readonly with?: Sum }[];
}

const usualLimit = 1_000;
const mostLimit = 100_000;
/** So many are told without requests waiting: who wants more asks again. */
const mostCalls = 1_000;
const usualCalls = 100;

function problemOf(error: unknown): Answer {
  const detail = error instanceof Error ? error.message : String(error);
  const status = error instanceof BadQuestion ? 400 : error instanceof NoLedger ? 404 : 503;
  return problem(status, detail);
}

async function usageAsked(query: Query, ledger: Ledger): Promise<UsageReport> {
  isKnown(query, ['from', 'to', 'since', 'zone', 'by', 'where', 'limit', 'format']);
  const zone = zoneOf(query);
  const asked = { by: byOf(query), where: whereOf(query), limit: limitOf(query, usualLimit, mostLimit), zone };
  const { from, to, rows, isCut, total } = await ledger.usage({ ...spanOf(query, zone), ...asked });
  return { from: timeIn(zone, from), to: timeIn(zone, to), zone, by: asked.by, rows, isCut, total };
}

async function callsAsked(query: Query, ledger: Ledger): Promise<CallsReport> {
  isKnown(query, ['from', 'to', 'since', 'zone', 'where', 'request', 'after', 'limit', 'format']);
  const zone = zoneOf(query);
  const after = afterOf(query);
  const request = one(query, 'request');
  // Who knows a request asks for it whenever it was.
  const { to, ...span } = spanOf(query, zone, request === undefined ? undefined : Number.POSITIVE_INFINITY);
  const from = after?.from ?? span.from;
  const asked = { where: whereOfCalls(query), limit: limitOf(query, usualCalls, mostCalls), request, after, zone };
  const { calls, next } = await ledger.calls({ from, to, ...asked });
  return { from: timeIn(zone, from), to: timeIn(zone, to), zone, calls, next: next && cursorText({ ...next, from }) };
}

async function comparisonAsked(query: Query, ledger: Ledger): Promise<ComparisonReport> {
  isKnown(query, ['revision', 'with', 'by', 'where', 'limit']);
  const asked = { by: byOf(query), where: whereOf(query), limit: limitOf(query, usualLimit, mostLimit) };
  const named = { revision: revisionOf(query, 'revision'), with: revisionOf(query, 'with') };
  const found = await ledger.compare({ ...asked, ...named });
  const { revision, with: other, groups } = found;
  if (!revision || !other) throw new BadQuestion(`${found.problem ?? 'it cannot be compared'}.`);
  const side = ({ from, to, ...rest }: typeof revision): SideReport => ({
    ...rest,
    from: timeIn(utc, from),
    to: timeIn(utc, to),
  });
  return { by: asked.by, revision: side(revision), with: side(other), groups };
}

const csv = (body: string, more: Readonly<Record<string, string>> = {}): Answer => ({
  headers: { 'content-type': 'text/csv; charset=utf-8', ...more },
  body,
});

export function addUsage(plane: Plane, ledger: Ledger): void {
  const answers = (path: string, answer: (query: Query) => Promise<Answer>) =>
    plane.on('GET', path, async ({ query }) => {
      try {
        return await answer(query);
      } catch (error) {
        return problemOf(error);
      }
    });
  answers('/api/usage', async (query) => {
    const format = formatOf(query);
    const report = await usageAsked(query, ledger);
    return format === 'json' ? json(report) : csv(csvOf(report.by, report.rows));
  });
  answers('/api/usage/calls', async (query) => {
    const format = formatOf(query);
    const report = await callsAsked(query, ledger);
    if (format === 'json') return json(report);
    return csv(csvOfCalls(report.calls), report.next === undefined ? {} : { 'headgate-next': report.next });
  });
  answers('/api/usage/compare', async (query) => json(await comparisonAsked(query, ledger)));
}
