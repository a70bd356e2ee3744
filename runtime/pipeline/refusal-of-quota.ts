/** Why a quota refuses, with everything that a person needs: the limit, whose it is, what is used, when it ends, where it is written. */
import { HeadgateError } from '../errors.ts';
import type { AskedOf, Exchange, Lease } from '../exchange.ts';
import type { LiveQuota } from '../generation/live.ts';
import { amountInWords, figure, windowInWords } from '../quota/words.ts';
import { isSpentByModels } from '../quota-terms.ts';
import { seconds } from './quota-headers.ts';

type Taken = Lease['takings'][number];
type Asking = Pick<Exchange, 'generation'>;

const inSeconds = (ms: number): string => `${seconds(ms)} s`;

const named = ({ quota: { name }, share: { words } }: AskedOf): string =>
  `Quota '${name}'${words === '' ? '' : ` for ${words}`}`;

function place({ name }: LiveQuota, { generation }: Asking): string {
  const at = generation.tables.sourceOf(`quotas.${name}`);
  return at === undefined ? '' : ` (${at})`;
}

/** A place is free as soon as one ends; nobody knows when. */
const soonMs = 1_000;

export function usedUp(taken: Taken, exchange: Asking): HeadgateError {
  const { quota, demand, taking } = taken;
  const { unit, limit, window } = quota;
  const of = `${figure(unit, taking.used)} of ${amountInWords(unit, limit)}${windowInWords(window, inSeconds)}`;
  const object = `quotas.${quota.name}`;
  if (unit === 'concurrency') {
    const message = `${named(taken)} is used up: ${of}; one of them must end first${place(quota, exchange)}.`;
    return new HeadgateError('quota_exceeded', message, { retryAfterMs: soonMs, object });
  }
  const ofIt = taking.held === 0 ? '' : ` (${figure(unit, taking.held)} of it held by calls under way)`;
  // What was not used of it is given back when they end.
  const maySoonFit = taking.used - taking.held + demand.amount <= limit;
  const sooner = maySoonFit ? ', or sooner as calls end' : '';
  const resets = `resets in ${inSeconds(taking.resetMs)}${sooner}${place(quota, exchange)}`;
  const message =
    isSpentByModels(unit) && taking.used < limit
      ? `${named(taken)} has no room for this call: ${of} are used or held${ofIt}, and it may take up to ${figure(unit, demand.amount)}; ${resets}.`
      : `${named(taken)} is used up: ${of}${ofIt}; ${resets}.`;
  if (maySoonFit)
    return new HeadgateError('quota_exceeded', message, { retryAfterMs: Math.min(soonMs, taking.resetMs), object });
  return new HeadgateError('quota_exceeded', message, {
    retryAfterMs: taking.resetMs,
    // An SDK's own quick retries cannot help before the window ends.
    noRetry: taking.resetMs > 5_000,
    object,
  });
}

/** The store may be back at any time. */
export function usedUpAlone(taken: Taken, exchange: Asking): HeadgateError {
  const { quota, demand, taking } = taken;
  const { unit, limit, window } = quota;
  const share = `${amountInWords(unit, demand.limit)}${windowInWords(window, inSeconds)}`;
  const whole = demand.limit === limit ? 'the whole limit' : `its share of ${figure(unit, limit)}`;
  return new HeadgateError(
    'quota_exceeded',
    `${named(taken)} has no room for this call: its store does not answer, and until it does this replica lets through ${share}, ${whole}, of which ${figure(unit, taking.used)} are used or held${place(quota, exchange)}.`,
    { retryAfterMs: soonMs, object: `quotas.${quota.name}` },
  );
}

/** Waiting does not help: it is larger than the whole limit. */
export function neverFits({ quota, demand }: AskedOf, exchange: Asking): HeadgateError {
  const { unit, limit, window, name } = quota;
  const whole = `${amountInWords(unit, limit)}${windowInWords(window, inSeconds)}`;
  return new HeadgateError(
    'quota_exceeded',
    `This call may take up to ${amountInWords(unit, demand.amount)}, and quota '${name}' allows ${whole} altogether, so that it can never pass: ask for a shorter answer (such as with max_tokens), or send less${place(quota, exchange)}.`,
    { noRetry: true, object: `quotas.${name}` },
  );
}
