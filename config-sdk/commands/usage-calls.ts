/** `headgate usage --calls`: single calls, a page after the other until there are as many as were asked for. */
import type { CallsReport } from '@headgate/runtime/serve';
import { aligned, count, usd } from './usage-table.ts';

/** A gateway tells no more at once. */
const mostAtOnce = 1_000;
const usually = 100;

export interface CallsAsked {
  readonly query: URLSearchParams;
  readonly limit: string | undefined;
  readonly format: 'pretty' | 'json' | 'csv';
}

/** Pages as text, and where the next one would begin. */
export interface CallsFound {
  readonly pages: readonly string[];
  readonly next: string | undefined;
}

type Read = (path: string) => Promise<Response>;

/** Returns the first answer that is none of calls, such as that something of the question makes no sense. */
export async function readCalls(read: Read, { query, limit, format }: CallsAsked): Promise<CallsFound | Response> {
  let left = limit === undefined ? usually : Number(limit);
  // What is no number is for the gateway to refuse.
  if (!Number.isInteger(left) || left < 1) return read(`/api/usage/calls?limit=${encodeURIComponent(limit ?? '')}`);
  const pages: string[] = [];
  const asked = new URLSearchParams(query);
  if (format === 'csv') asked.set('format', 'csv');
  let next: string | undefined;
  do {
    asked.set('limit', String(Math.min(left, mostAtOnce)));
    if (next !== undefined) asked.set('after', next);
    const response = await read(`/api/usage/calls?${asked.toString()}`);
    if (!response.ok) return response;
    const text = await response.text();
    pages.push(text);
    next =
      format === 'csv' ? (response.headers.get('headgate-next') ?? undefined) : (JSON.parse(text) as CallsReport).next;
    left -= mostAtOnce;
  } while (next !== undefined && left > 0);
  return { pages, next };
}

const reportOf = ({ pages, next }: CallsFound): CallsReport => {
  const reports = pages.map((text) => JSON.parse(text) as CallsReport);
  const [first] = reports;
  if (!first) throw new TypeError('there is one page at least');
  return { ...first, calls: reports.flatMap(({ calls }) => calls), next };
};

function callsTable({ from, to, calls, next }: CallsReport): string {
  const head = ['ended at', 'request', 'revision', 'matched', 'consumer', 'target', 'ended', 'status', 'ms', 'cost'];
  const lines = calls.map((call) => [
    call.at,
    call.request,
    ...[call.revision, call.matched, call.consumer, call.target].map((name) => name || '–'),
    call.code === '' ? call.ended : `${call.ended} ${call.code}`,
    call.status === undefined ? '–' : String(call.status),
    count(call.ms),
    usd(call.costUsd),
  ]);
  const names = 7;
  return [
    `from ${from} to ${to}\n`,
    calls.length === 0 ? 'no calls\n' : aligned([head, ...lines], names),
    next === undefined ? '' : `there are more: --after ${next}\n`,
  ].join('');
}

export function callsText(found: CallsFound, format: CallsAsked['format']): string {
  if (format === 'json') return `${JSON.stringify(reportOf(found), null, 2)}\n`;
  if (format === 'pretty') return callsTable(reportOf(found));
  const [first = '', ...others] = found.pages;
  return [first, ...others.map((page) => page.slice(page.indexOf('\r\n') + 2))].join('');
}
