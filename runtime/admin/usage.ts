/** What the admin plane tells from the ledger: what was used, by whatever it is asked by, and what a commit changed. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { parseDuration } from '../duration.ts';
import type { Sum } from '../ledger/adding-up.ts';
import { csvOf } from '../ledger/csv.ts';
import { dimensions, isDimension, type Condition, type Dimension, type Group } from '../ledger/dimensions.ts';
import { NoLedger, type Ledger } from '../ledger/ledger.ts';

export interface UsageReport {
  /** Of single calls that are no longer kept only whole hours are known: then this is not quite what was asked for. */
  readonly from: string;
  readonly to: string;
  readonly by: readonly Dimension[];
  readonly rows: readonly Sum[];
  /** There are more rows than `limit`. */
  readonly isCut: boolean;
  readonly total: Sum | undefined;
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

/** What was asked for makes no sense. */
class BadQuestion extends Error {}

type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

const usualSpanMs = 86_400_000;
const usualLimit = 1_000;
const mostLimit = 100_000;
const mostDimensions = 4;

function one(query: Query, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new BadQuestion(`"${name}" is given more than once.`);
}

function dimensionOf(text: string): Dimension {
  if (isDimension(text)) return text;
  throw new BadQuestion(`"${text.slice(0, 64)}" is nothing to ask by; there are ${dimensions.join(', ')}.`);
}

function byOf(query: Query): readonly Dimension[] {
  const names = (one(query, 'by') ?? '').split(',').filter((name) => name !== '');
  const by = [...new Set(names.map(dimensionOf))];
  if (by.length > mostDimensions) throw new BadQuestion(`"by" takes at most ${mostDimensions} names.`);
  return by;
}

function whereOf({ where = [] }: Query): readonly Condition[] {
  return [where].flat().map((text) => {
    const at = text.indexOf('=');
    if (at < 0)
      throw new BadQuestion('"where" is written name=value, such as where=model=chat; several are given one by one.');
    return { dimension: dimensionOf(text.slice(0, at)), value: text.slice(at + 1) };
  });
}

function limitOf(query: Query): number {
  const limit = Number(one(query, 'limit') ?? usualLimit);
  if (Number.isInteger(limit) && limit >= 1 && limit <= mostLimit) return limit;
  throw new BadQuestion(`"limit" must be a whole number from 1 to ${mostLimit}.`);
}

function momentOf(query: Query, name: string, otherwise: number): number {
  const text = one(query, name);
  if (text === undefined) return otherwise;
  const at = Date.parse(text);
  if (Number.isSafeInteger(at)) return at;
  throw new BadQuestion(`"${name}" must be a moment such as 2026-01-31 or 2026-01-31T09:30:00Z.`);
}

function spanOf(query: Query): { readonly from: number; readonly to: number } {
  const to = momentOf(query, 'to', Date.now());
  const since = one(query, 'since');
  const ms = since === undefined ? usualSpanMs : parseDuration(since);
  if (ms === undefined) throw new BadQuestion('"since" must be a duration such as 24h or 30d.');
  const from = momentOf(query, 'from', to - ms);
  if (from >= to) throw new BadQuestion('"from" must be before "to".');
  return { from, to };
}

function formatOf(query: Query): 'json' | 'csv' {
  const format = one(query, 'format') ?? 'json';
  if (format === 'json' || format === 'csv') return format;
  throw new BadQuestion('"format" must be json or csv.');
}

function isKnown(query: Query, names: readonly string[]): void {
  const stray = Object.keys(query).find((name) => !names.includes(name));
  if (stray !== undefined)
    throw new BadQuestion(`"${stray.slice(0, 64)}" is no parameter; there are ${names.join(', ')}.`);
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

function problem(reply: FastifyReply, error: unknown) {
  const detail = error instanceof Error ? error.message : String(error);
  const status = error instanceof BadQuestion ? 400 : error instanceof NoLedger ? 404 : 503;
  return reply.code(status).type('application/problem+json').send({ type: 'about:blank', status, detail });
}

function revisionOf(query: Query, name: string): string {
  const revision = one(query, name) ?? '';
  if (/^[0-9a-f]{7,64}$/.test(revision)) return revision;
  throw new BadQuestion(`"${name}" must be a commit, with at least 7 characters of its name.`);
}

async function usageAsked(query: Query, ledger: Ledger): Promise<UsageReport> {
  isKnown(query, ['from', 'to', 'since', 'by', 'where', 'limit', 'format']);
  const question = { ...spanOf(query), by: byOf(query), where: whereOf(query), limit: limitOf(query) };
  const { from, to, rows, isCut, total } = await ledger.usage(question);
  return { from: timeOf(from), to: timeOf(to), by: question.by, rows, isCut, total };
}

async function comparisonAsked(query: Query, ledger: Ledger): Promise<ComparisonReport> {
  isKnown(query, ['revision', 'with', 'by', 'where', 'limit']);
  const asked = { by: byOf(query), where: whereOf(query), limit: limitOf(query) };
  const named = { revision: revisionOf(query, 'revision'), with: revisionOf(query, 'with') };
  const found = await ledger.compare({ ...asked, ...named });
  const { revision, with: other, groups } = found;
  if (!revision || !other) throw new BadQuestion(`${found.problem ?? 'it cannot be compared'}.`);
  const side = ({ from, to, ...rest }: typeof revision): SideReport => ({
    ...rest,
    from: timeOf(from),
    to: timeOf(to),
  });
  return { by: asked.by, revision: side(revision), with: side(other), groups };
}

export function addUsage(app: FastifyInstance, ledger: Ledger): void {
  app.get<{ Querystring: Query }>('/api/usage', async ({ query }, reply) => {
    try {
      const format = formatOf(query);
      const report = await usageAsked(query, ledger);
      if (format === 'json') return report;
      return await reply.type('text/csv; charset=utf-8').send(csvOf(report.by, report.rows));
    } catch (error) {
      return problem(reply, error);
    }
  });
  app.get<{ Querystring: Query }>('/api/usage/compare', async ({ query }, reply) => {
    try {
      return await comparisonAsked(query, ledger);
    } catch (error) {
      return problem(reply, error);
    }
  });
}
