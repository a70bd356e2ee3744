/** What clients are told of the quotas that they drew from: what is left, when it begins anew, and what is nearly used up. */
import { usdOfNano } from '../cost.ts';
import type { Exchange, Lease } from '../exchange.ts';
import type { LiveQuota } from '../generation/live.ts';
import type { QuotaUnit } from '../snapshot-quotas.ts';

type Taken = Lease['takings'][number];

export const seconds = (ms: number): number => Math.ceil(ms / 1000);
const remaining = ({ quota, demand, taking, isAlone }: Taken): number =>
  Math.max(0, (isAlone ? demand.limit : quota.limit) - taking.used);

/** A decimal of a structured field has three places at most; what is left is rounded down. */
const amount = (unit: QuotaUnit, nano: number): string =>
  unit === 'usd' ? usdOfNano(Math.floor(nano / 1e6) * 1e6) : String(nano);

/** Requests need not be named: they are what is counted where nothing is said. */
const unitNames: Readonly<Partial<Record<QuotaUnit, string>>> = {
  inputTokens: 'input-tokens',
  outputTokens: 'output-tokens',
  tokens: 'tokens',
  usd: 'usd',
  concurrency: 'concurrent-requests',
};

function wordPolicy({ name, unit, limit, window }: LiveQuota): string {
  const named = unitNames[unit] === undefined ? '' : `;qu="${unitNames[unit]}"`;
  // Days and months of the calendar have no one length.
  const length = 'ms' in window ? `;w=${seconds(window.ms)}` : '';
  return `"${name}";q=${amount(unit, limit)}${named}${length}`;
}

/** Its words are the same for every request. */
const policies = new WeakMap<LiveQuota, string>();

function policyOf(quota: LiveQuota): string {
  const known = policies.get(quota) ?? wordPolicy(quota);
  policies.set(quota, known);
  return known;
}

/** As OpenAI names them; of several, the one nearest to its end. */
const families: readonly (readonly [family: string, units: readonly QuotaUnit[]])[] = [
  ['requests', ['requests']],
  ['tokens', ['tokens', 'inputTokens', 'outputTokens']],
];

/** Of the counts of one quota that a request draws from, the one nearest to its end. */
const tightest = (takings: readonly Taken[]): readonly Taken[] =>
  takings.filter((taken) =>
    takings.every(
      (other) =>
        other.quota.name !== taken.quota.name ||
        other === taken ||
        remaining(other) > remaining(taken) ||
        (remaining(other) === remaining(taken) && takings.indexOf(other) > takings.indexOf(taken)),
    ),
  );

/** `RateLimit` of the IETF draft for every quota that refuses, OpenAI's `x-ratelimit-*` for the tightest of its kind. */
export function writeQuotaHeaders({ reply }: Exchange, all: readonly Taken[]): void {
  const takings = tightest(all.filter(({ quota }) => quota.mode === 'hard'));
  if (takings.length === 0) return;
  reply.header('ratelimit-policy', takings.map(({ quota }) => policyOf(quota)).join(', '));
  reply.header(
    'ratelimit',
    takings
      .map((taken) => {
        const { quota, taking } = taken;
        return `"${quota.name}";r=${amount(quota.unit, remaining(taken))};t=${seconds(taking.resetMs)}`;
      })
      .join(', '),
  );
  for (const [family, units] of families) {
    const [first, ...others] = takings.filter(({ quota }) => units.includes(quota.unit));
    if (!first) continue;
    const nearest = others.reduce((least, taken) => (remaining(taken) < remaining(least) ? taken : least), first);
    reply.header(`x-ratelimit-limit-${family}`, String(nearest.quota.limit));
    reply.header(`x-ratelimit-remaining-${family}`, String(remaining(nearest)));
    reply.header(`x-ratelimit-reset-${family}`, `${seconds(nearest.taking.resetMs)}s`);
  }
}

/** Which quota sent the call to which cheaper model, in turn. */
export function writeDowngrades({ reply, outcome: { downgraded } }: Exchange): void {
  if (downgraded.length === 0) return;
  reply.header('headgate-quota-downgrade', downgraded.map(({ quota, to }) => `"${quota}";to="${to}"`).join(', '));
}

/** Beyond its `warnAt`; one that refuses nothing also beyond its limit. */
export const warns = ({ quota, taking }: Taken): boolean =>
  taking.used >= (quota.warnAt ?? Infinity) * quota.limit || (quota.mode === 'soft' && taking.used > quota.limit);

export function writeWarnings({ reply }: Exchange, warned: readonly Taken[]): void {
  if (warned.length === 0) return;
  const words = warned.map(({ quota: { name, unit, limit }, taking }) => {
    return `"${name}";u=${amount(unit, taking.used)};q=${amount(unit, limit)}`;
  });
  reply.header('headgate-quota-warning', words.join(', '));
}
