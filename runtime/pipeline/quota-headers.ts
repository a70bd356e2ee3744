/** What clients are told of the quotas that they drew from: what is left, when it begins anew, and what is nearly used up. */
import { usdOfNano } from '../cost.ts';
import type { Exchange, Lease } from '../exchange.ts';
import type { LiveQuota } from '../generation/live.ts';
import type { QuotaUnit } from '../snapshot-quotas.ts';

type Taken = Lease['takings'][number];

export const seconds = (ms: number): number => Math.ceil(ms / 1000);
const remaining = ({ quota, demand, taking, isAlone }: Taken): number =>
  Math.max(0, (isAlone ? demand.limit : quota.limit) - taking.used);

/**
 * A decimal of a structured field has three places at most; what is left is rounded down, but not to nothing: who reads that asks
 * no more.
 */
function amount(unit: QuotaUnit, nano: number): string {
  if (unit !== 'usd') return String(nano);
  return usdOfNano(nano > 0 ? Math.max(1, Math.floor(nano / 1e6)) * 1e6 : 0);
}

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

/** As OpenAI names them. */
type Family = 'requests' | 'tokens';

const familyOf = (unit: QuotaUnit): Family | undefined => {
  if (unit === 'requests') return 'requests';
  return unit === 'tokens' || unit === 'inputTokens' || unit === 'outputTokens' ? 'tokens' : undefined;
};

/** Of those that refuse, and of the counts of one quota that a request draws from the one nearest to its end. */
function tightest(all: readonly Taken[]): readonly Taken[] {
  const found: Taken[] = [];
  for (const taken of all) {
    if (taken.quota.mode !== 'hard') continue;
    const at = found.findIndex(({ quota }) => quota.name === taken.quota.name);
    const other = found[at];
    if (!other) found.push(taken);
    else if (remaining(taken) < remaining(other)) found[at] = taken;
  }
  return found;
}

function nearestOf(family: Family, takings: readonly Taken[]): Taken | undefined {
  let nearest: Taken | undefined;
  for (const taken of takings)
    if (familyOf(taken.quota.unit) === family && (!nearest || remaining(taken) < remaining(nearest))) nearest = taken;
  return nearest;
}

/** `RateLimit` of the IETF draft for every quota that refuses, OpenAI's `x-ratelimit-*` for the tightest of its kind. */
export function writeQuotaHeaders({ reply }: Exchange, all: readonly Taken[]): void {
  const takings = tightest(all);
  if (takings.length === 0) return;
  let declared = '';
  let left = '';
  for (const taken of takings) {
    const { quota, taking } = taken;
    const comma = declared === '' ? '' : ', ';
    declared += comma + policyOf(quota);
    left += `${comma}"${quota.name}";r=${amount(quota.unit, remaining(taken))};t=${seconds(taking.resetMs)}`;
  }
  reply.header('ratelimit-policy', declared);
  reply.header('ratelimit', left);
  const requests = nearestOf('requests', takings);
  if (requests) {
    reply.header('x-ratelimit-limit-requests', String(requests.quota.limit));
    reply.header('x-ratelimit-remaining-requests', String(remaining(requests)));
    reply.header('x-ratelimit-reset-requests', `${seconds(requests.taking.resetMs)}s`);
  }
  const tokens = nearestOf('tokens', takings);
  if (tokens) {
    reply.header('x-ratelimit-limit-tokens', String(tokens.quota.limit));
    reply.header('x-ratelimit-remaining-tokens', String(remaining(tokens)));
    reply.header('x-ratelimit-reset-tokens', `${seconds(tokens.taking.resetMs)}s`);
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
