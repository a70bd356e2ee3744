/** Reads what is asked of the ledger from the query of an address; whatever makes no sense is refused with the cure. */
import { parseDuration } from '../duration.ts';
import type { Cursor } from '../ledger/calls.ts';
import { dimensions, isDimension, isTime, type Condition, type Dimension } from '../ledger/dimensions.ts';
import { momentIn, utc } from '../ledger/zone.ts';
import { isZone } from '../quota-terms.ts';

/** What was asked for makes no sense. */
export class BadQuestion extends Error {}

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

const usualSpanMs = 86_400_000;
const mostDimensions = 4;

export function one(query: Query, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new BadQuestion(`"${name}" is given more than once.`);
}

export function isKnown(query: Query, names: readonly string[]): void {
  const stray = Object.keys(query).find((name) => !names.includes(name));
  if (stray !== undefined)
    throw new BadQuestion(`"${stray.slice(0, 64)}" is no parameter; there are ${names.join(', ')}.`);
}

function dimensionOf(text: string): Dimension {
  if (isDimension(text)) return text;
  throw new BadQuestion(`"${text.slice(0, 64)}" is nothing to ask by; there are ${dimensions.join(', ')}.`);
}

export function byOf(query: Query): readonly Dimension[] {
  const names = (one(query, 'by') ?? '').split(',').filter((name) => name !== '');
  const by = [...new Set(names.map(dimensionOf))];
  if (by.length > mostDimensions) throw new BadQuestion(`"by" takes at most ${mostDimensions} names.`);
  return by;
}

/** As the ledger has it. Who gives the key itself must not find it anywhere. */
function keyIdOf(text: string): string {
  const [, digits] = /^(?:sha256:)?([0-9a-f]{12,64})…?$/.exec(text) ?? [];
  if (digits !== undefined || text === '') return (digits ?? '').slice(0, 12);
  throw new BadQuestion('"where=key=…" takes the first 12 digits or more of the hash of a key, never the key itself.');
}

export function whereOf({ where = [] }: Query): readonly Condition[] {
  return [where].flat().map((text) => {
    const at = text.indexOf('=');
    if (at < 0)
      throw new BadQuestion('"where" is written name=value, such as where=model=chat; several are given one by one.');
    const [dimension, value] = [dimensionOf(text.slice(0, at)), text.slice(at + 1)];
    return { dimension, value: dimension === 'key' ? keyIdOf(value) : value };
  });
}

/** Of single calls: their time is told by `from` and `to`. */
export function whereOfCalls(query: Query): readonly Condition[] {
  const where = whereOf(query);
  const time = where.find(({ dimension }) => isTime(dimension));
  if (time) throw new BadQuestion(`"where" takes no ${time.dimension} of single calls: give "from" and "to".`);
  return where;
}

export function limitOf(query: Query, usual: number, most: number): number {
  const limit = Number(one(query, 'limit') ?? usual);
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw new BadQuestion(`"limit" must be a whole number from 1 to ${most}.`);
}

export function zoneOf(query: Query): string {
  const zone = one(query, 'zone') ?? utc;
  if (zone.toUpperCase() === utc) return utc;
  if (/^[A-Za-z]/.test(zone) && isZone(zone)) return zone;
  throw new BadQuestion(
    `"zone" must be a name of the time zone database, such as Europe/Berlin; "${zone.slice(0, 64)}" is none.`,
  );
}

function momentOf(query: Query, name: string, zone: string): number | undefined {
  const text = one(query, name);
  if (text === undefined) return undefined;
  const at = momentIn(zone, text);
  if (at !== undefined) return at;
  throw new BadQuestion(`"${name}" must be a moment such as 2026-01-31 or 2026-01-31T09:30:00Z.`);
}

/** Without a beginning, `usual` is asked for: the last day, unless it is told otherwise. */
export function spanOf(
  query: Query,
  zone: string,
  usual = usualSpanMs,
): { readonly from: number; readonly to: number } {
  const to = momentOf(query, 'to', zone) ?? Date.now();
  const since = one(query, 'since');
  if (since !== undefined && query['from'] !== undefined)
    throw new BadQuestion('"since" and "from" both say where it begins: give one of them.');
  const ms = since === undefined ? usual : parseDuration(since);
  if (ms === undefined) throw new BadQuestion('"since" must be a duration such as 24h or 30d.');
  const from = Math.max(0, momentOf(query, 'from', zone) ?? to - ms);
  if (from >= to) throw new BadQuestion('"from" must be before "to".');
  return { from, to };
}

export function formatOf(query: Query): 'json' | 'csv' {
  const format = one(query, 'format') ?? 'json';
  if (format === 'json' || format === 'csv') return format;
  throw new BadQuestion('"format" must be json or csv.');
}

export function revisionOf(query: Query, name: string): string {
  const revision = one(query, name) ?? '';
  if (/^[0-9a-f]{7,64}$/.test(revision)) return revision;
  throw new BadQuestion(`"${name}" must be a commit, with at least 7 characters of its name.`);
}

/** A page ends at a call; the beginning of what was asked for goes with it, so that all pages are of one span. */
export interface PageEnd extends Cursor {
  readonly from: number;
}

export const cursorText = ({ from, at, id }: PageEnd): string => `${from}.${at}.${id}`;

export function afterOf(query: Query): PageEnd | undefined {
  const text = one(query, 'after');
  if (text === undefined) return undefined;
  const [, from, at, id] = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/.exec(text) ?? [];
  if (id === undefined) throw new BadQuestion('"after" must be what the page before gave as "next".');
  return { from: Number(from), at: Number(at), id: Number(id) };
}
