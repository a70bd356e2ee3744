/** Pays what was used and frees the rest, however the request ended. The only place where that happens. */
import { nanoUsd, noMoney, usdNumber } from '../cost.ts';
import { asHeadgateError, type ErrorCode } from '../errors.ts';
import type { Exchange, Lease, Reserved } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { QuotaUnit } from '../quota-terms.ts';
import type { Settlement } from '../quota/store.ts';
import { providerOf } from '../trace.ts';
import { amountOf, type Estimate } from './estimate.ts';
import { pay, type Payment } from './pay.ts';
import { noteSpendings, totalOf, type Spending } from './price.ts';

/** Ends without an answer that no client can bring about, or before anybody was asked: such a request costs it nothing. */
const notServed: ReadonlySet<ErrorCode> = new Set([
  'internal_error',
  'upstream_failed',
  'upstream_credential_refused',
  'upstream_model_unknown',
  'upstream_rate_limited',
  'upstream_broken_answer',
  'upstream_timeout',
  'no_target_available',
  'upstream_busy',
  'quota_exceeded',
  'quota_store_unavailable',
]);

type Settling = Reserved<Exchange> & { readonly targets?: readonly LiveTarget[] };

/** Served as far as the client could see. */
type End = 'free' | 'served' | 'refused';

/** Once a byte of the answer was sent, the request was served. */
function endOf({ reply }: Exchange, thrown: unknown): End {
  if (thrown === undefined || reply.started) return 'served';
  return notServed.has(asHeadgateError(thrown).code) ? 'free' : 'refused';
}

function tellMetrics(exchange: Settling, spendings: readonly Spending[]): void {
  const { tokens, usageEstimated, cost } = exchange.house.metrics;
  const { consumer = '' } = exchange.outcome;
  for (const { target, usage, estimated, money } of spendings) {
    tokens.inc({ target, direction: 'input' }, usage.inputTokens);
    tokens.inc({ target, direction: 'output' }, usage.outputTokens);
    if (estimated) usageEstimated.inc({ target });
    if (money) cost.inc({ target, consumer }, usdNumber(money));
  }
}

/** What the vendors counted, or was estimated in their place; undefined where nothing is known of it. */
function spentBy(spendings: readonly Spending[]): Estimate | undefined {
  const [first] = spendings;
  if (!first) return undefined;
  if (spendings.length === 1) {
    const { inputTokens, outputTokens } = first.usage;
    return { inputTokens, outputTokens, nanoUsd: nanoUsd(first.money ?? noMoney) };
  }
  const sum = (count: (one: Spending) => number) => spendings.reduce((all, one) => all + count(one), 0);
  return {
    inputTokens: sum(({ usage }) => usage.inputTokens),
    outputTokens: sum(({ usage }) => usage.outputTokens),
    nanoUsd: nanoUsd(totalOf(spendings) ?? noMoney),
  };
}

const nothing: Estimate = { inputTokens: 0, outputTokens: 0, nanoUsd: 0 };

interface Ended {
  readonly end: End;
  readonly spendings: readonly Spending[];
}

/** Where a vendor that served tells nothing, what was held was spent. */
function spentOf(
  unit: QuotaUnit,
  told: Estimate | undefined,
  { end, held }: { readonly end: End; readonly held: number },
): number {
  const known = told ?? (end === 'served' ? undefined : nothing);
  return (known && amountOf(unit, known)) ?? held;
}

/** Of what is counted by provider, what was sent to that one. */
function settlementOf(
  { quota, demand, taking, share: { provider } }: Lease['takings'][number],
  { end, spendings }: Ended,
  { outcome }: Settling,
): Settlement {
  if (end === 'free' || quota.unit === 'concurrency') return { demand, taking, spent: 0 };
  if (provider === undefined)
    return { demand, taking, spent: spentOf(quota.unit, spentBy(spendings), { end, held: demand.amount }) };
  const isThere = ({ target }: { readonly target: string }) => providerOf(target) === provider;
  // Files are kept by their provider whatever becomes of the request.
  const isAsked =
    outcome.matched.startsWith('files:') ||
    outcome.tried.some((each) => each.ended !== 'passed_over' && isThere(each)) ||
    spendings.some(isThere) ||
    isThere({ target: outcome.target ?? '' });
  if (!isAsked) return { demand, taking, spent: 0 };
  const there = isThere({ target: outcome.target ?? '' }) ? end : 'refused';
  const spent = spentOf(quota.unit, spentBy(spendings.filter(isThere)), { end: there, held: demand.amount });
  return { demand, taking, spent };
}

/** `thrown` is what ended the line, or undefined when it came to its end. Never throws: it stands in a `finally`. */
export async function settle(exchange: Settling, thrown: unknown): Promise<void> {
  const { lease } = exchange;
  const spendings = noteSpendings(exchange);
  tellMetrics(exchange, spendings);
  const ended = { end: endOf(exchange, thrown), spendings };
  if (lease.underWay.size > 0) await Promise.allSettled(lease.underWay);
  const payments: Payment[] = [];
  for (const taken of lease.takings) {
    const settlement = settlementOf(taken, ended, exchange);
    // What was neither held nor changes is written already.
    if (taken.taking.hold === undefined && settlement.spent === taken.demand.amount) continue;
    payments.push(taken.isAlone ? { ...settlement, isAlone: true } : settlement);
  }
  await pay(exchange, payments);
}
