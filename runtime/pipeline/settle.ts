/** Pays what was used and frees the rest, however the request ended. The only place where that happens. */
import { nanoUsd, noMoney, usdNumber } from '../cost.ts';
import { asHeadgateError, type ErrorCode } from '../errors.ts';
import type { Exchange, Lease, Reserved } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { Settlement } from '../quota/store.ts';
import { providerOf } from '../trace.ts';
import { amountOf, type Estimate } from './estimate.ts';
import { pay } from './pay.ts';
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
  if (spendings.length === 0) return undefined;
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

/** Of what is counted by provider, what was sent to that one. Where a vendor that served tells nothing, what was held was spent. */
function settlementOf(
  { quota, demand, taking, share: { provider } }: Lease['takings'][number],
  { end, spendings }: Ended,
  { outcome }: Settling,
): Settlement {
  const isThere = ({ target }: { readonly target: string }) =>
    provider === undefined || providerOf(target) === provider;
  // Files are kept by their provider whatever becomes of the request.
  const isAsked =
    outcome.matched.startsWith('files:') ||
    outcome.tried.some((each) => each.ended !== 'passed_over' && isThere(each)) ||
    spendings.some(isThere) ||
    isThere({ target: outcome.target ?? '' });
  if (end === 'free' || quota.unit === 'concurrency' || !isAsked) return { demand, taking, spent: 0 };
  const served = end === 'served' && isThere({ target: outcome.target ?? '' });
  const known = spentBy(spendings.filter(isThere)) ?? (served ? undefined : nothing);
  return { demand, taking, spent: (known && amountOf(quota.unit, known)) ?? demand.amount };
}

/** `thrown` is what ended the line, or undefined when it came to its end. Never throws: it stands in a `finally`. */
export async function settle(exchange: Settling, thrown: unknown): Promise<void> {
  const { lease } = exchange;
  const spendings = noteSpendings(exchange);
  tellMetrics(exchange, spendings);
  const ended = { end: endOf(exchange, thrown), spendings };
  await Promise.allSettled(lease.underWay);
  const settlements = lease.takings
    .map((taken) => ({ ...settlementOf(taken, ended, exchange), isAlone: taken.isAlone === true }))
    // What was neither held nor changes is written already.
    .filter((each) => each.taking.hold !== undefined || each.spent !== each.demand.amount);
  await pay(exchange, settlements);
}
