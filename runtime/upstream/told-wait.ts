/** How long an upstream asks to be left alone, in whatever unit and place it says so. */
import type { JsonObject } from '../call.ts';

export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whoever asks for more is asked again after a day. */
const longestMs = 86_400_000;

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
  d: 864e5,
};

/** `6m0s`, `1m30.5s`, `20ms`, as Go prints them; a protobuf Duration (`34.07s`) is one of them. */
function lengthMs(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g))
    sum += Number(count) * (unitMs[unit ?? ''] ?? 0);
  return sum;
}

/** Plain numbers this large are points in time: in seconds, or in milliseconds. */
const earliestTime = { seconds: 1e9, milliseconds: 1e12 };

function momentMs(text: string, now: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const number = Number(text);
    if (number >= earliestTime.milliseconds) return number - now;
    return number >= earliestTime.seconds ? number * 1000 - now : number * 1000;
  }
  // What has neither date nor time in it would be read as some year.
  const ms = lengthMs(text) ?? (/\d{4}-\d\d-\d\d|\d\d:\d\d/.test(text) ? Date.parse(text) - now : NaN);
  return Number.isFinite(ms) ? ms : undefined;
}

function one(headers: AnswerHeaders, name: string): string {
  const value = headers[name];
  return (typeof value === 'string' ? value : (value?.[0] ?? '')).trim();
}

const bounded = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.max(0, Math.min(ms, longestMs));

/** The detail `RetryInfo` of an error of the google.rpc family (cloud.google.com/php/docs/reference/common-protos/latest/Rpc.RetryInfo). */
function retryInfoMs(body: JsonObject | undefined): number | undefined {
  const details = (body?.error as JsonObject | undefined)?.details;
  for (const detail of Array.isArray(details) ? (details as readonly (JsonObject | null)[]) : []) {
    const type = detail?.['@type'];
    const delay = detail?.retryDelay;
    if (typeof type === 'string' && type.endsWith('.RetryInfo') && typeof delay === 'string') return lengthMs(delay);
  }
  return undefined;
}

/**
 * `retry-after-ms` (of OpenAI and Azure; their SDK reads it first), `Retry-After` in seconds or as an HTTP date (RFC 9110,
 * 10.2.3), or what the body says.
 */
export function toldWaitMs(headers: AnswerHeaders, body: JsonObject | undefined, now = Date.now()): number | undefined {
  const exact = one(headers, 'retry-after-ms');
  if (/^\d+(\.\d+)?$/.test(exact)) return bounded(Number(exact));
  return bounded(momentMs(one(headers, 'retry-after'), now) ?? retryInfoMs(body));
}

interface Limit {
  /** What is left of it, from 0 to 1; 1 where nobody says. */
  readonly share: number;
  readonly resetMs: number;
}

/**
 * The limit that is nearest to its end, for answers without a word on when to come back. Vendors state several limits
 * beside each other, each with what is left of it: `x-ratelimit-reset-tokens: 6m0s` beside `x-ratelimit-remaining-tokens`
 * (platform.openai.com/docs/guides/rate-limits), `…-ratelimit-tokens-reset: 2026-11-22T10:00:00Z` beside
 * `…-ratelimit-tokens-remaining` (platform.claude.com/docs/en/api/rate-limits), `x-ratelimit-reset` as Unix time.
 */
function tightestLimit(headers: AnswerHeaders, now: number): Limit | undefined {
  let tightest: Limit | undefined;
  for (const name in headers) {
    if (!name.includes('ratelimit-') || !/(^|-)ratelimit-(.*-)?reset(-|$)/.test(name)) continue;
    const ms = bounded(momentMs(one(headers, name), now));
    const [left, limit] = ['remaining', 'limit'].map((word) =>
      Number(one(headers, name.replace('reset', word)) || NaN),
    );
    // A limit below zero is none.
    if (ms === undefined || (left ?? 0) < 0) continue;
    const share = Number.isNaN(left) ? 1 : (left ?? 0) / (limit || 1);
    const isTighter = !tightest || share < tightest.share || (share === tightest.share && ms > tightest.resetMs);
    if (isTighter) tightest = { share, resetMs: ms };
  }
  return tightest;
}

/** When the limit that a request ran into starts again. */
export const limitResetMs = (headers: AnswerHeaders, now = Date.now()): number | undefined =>
  tightestLimit(headers, now)?.resetMs;

/** The same beside a good answer, once nothing is left for the next request. */
export function usedUpMs(headers: AnswerHeaders, now = Date.now()): number | undefined {
  const limit = tightestLimit(headers, now);
  return limit?.share === 0 ? limit.resetMs : undefined;
}
