/** Pays what was used and frees the rest, however the request ended. The only place where that happens. */
import { nanoUsd, usdNumber } from '../cost.ts';
import { asHeadgateError, type ErrorCode } from '../errors.ts';
import type { Exchange, Lease, Reserved } from '../exchange.ts';
import type { LiveTarget } from '../generation/generation.ts';
import { causeInWords } from '../log.ts';
import { StoreUnavailable, type Settlement } from '../quota/store.ts';
import { amountOf, type Estimate } from './estimate.ts';
import { noteCost, outrunCosts, ownCost } from './price.ts';

/** Ends that no client can bring about: such a request was not served and costs it nothing. */
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
]);

type Settling = Reserved<Exchange> & { readonly targets?: readonly LiveTarget[] };

/** Served as far as the client could see. */
type End = 'free' | 'served' | 'refused';

/** Once a byte of the answer was sent, the request was served. */
function endOf({ reply }: Exchange, thrown: unknown): End {
  if (thrown === undefined || reply.started) return 'served';
  return notServed.has(asHeadgateError(thrown).code) ? 'free' : 'refused';
}

function tellMetrics(exchange: Settling): void {
  const { house, outcome } = exchange;
  const { tokens, usageEstimated, cost } = house.metrics;
  const { target, usage, consumer = '' } = outcome;
  if (usage && target) {
    tokens.inc({ target, direction: 'input' }, usage.inputTokens);
    tokens.inc({ target, direction: 'output' }, usage.outputTokens);
    if (outcome.usageEstimated) usageEstimated.inc({ target });
  }
  const own = ownCost(exchange);
  if (own && target) cost.inc({ target, consumer }, usdNumber(own));
  for (const [outrun, spent] of outrunCosts(exchange)) cost.inc({ target: outrun, consumer }, usdNumber(spent));
}

/** What the vendors counted, or was estimated in their place; undefined where nothing is known of it. */
function spentBy(exchange: Settling): Estimate | undefined {
  const { usage, outrun } = exchange.outcome;
  const money = noteCost(exchange);
  if (!usage && outrun.length === 0) return undefined;
  const beside = outrun.reduce((sum, { inputTokens }) => sum + inputTokens, 0);
  return {
    inputTokens: (usage?.inputTokens ?? 0) + beside,
    outputTokens: usage?.outputTokens ?? 0,
    nanoUsd: money ? nanoUsd(money) : 0,
  };
}

const nothing: Estimate = { inputTokens: 0, outputTokens: 0, nanoUsd: 0 };

function settlementOf(
  { quota, demand, taking }: Lease['takings'][number],
  end: End,
  spent: Estimate | undefined,
): Settlement {
  if (end === 'free' || quota.unit === 'concurrency') return { demand, taking, spent: 0 };
  // Where a vendor that served tells nothing, what was held is taken for what was spent.
  const known = spent ?? (end === 'served' ? undefined : nothing);
  return { demand, taking, spent: (known && amountOf(quota.unit, known)) ?? demand.amount };
}

/** `thrown` is what ended the line, or undefined when it came to its end. Never throws: it stands in a `finally`. */
export async function settle(exchange: Settling, thrown: unknown): Promise<void> {
  const { house, lease, id } = exchange;
  const spent = spentBy(exchange);
  tellMetrics(exchange);
  const end = endOf(exchange, thrown);
  const settlements = lease.takings
    .map((taken) => settlementOf(taken, end, spent))
    // What was neither held nor changes is written already.
    .filter((each) => each.taking.hold !== undefined || each.spent !== each.demand.amount);
  if (settlements.length === 0) return;
  try {
    await house.quotas.settle(settlements);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    house.log.warn({ event: 'quota_unsettled', request: id, cause: causeInWords(error) }, 'quota not settled');
  }
}
