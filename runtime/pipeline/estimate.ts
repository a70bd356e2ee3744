/** The most that a call can take, before anybody knows: what quotas of tokens and money hold until it has ended. */
import type { Call } from '../call.ts';
import { mostItCosts, nanoUsd } from '../cost.ts';
import { messageTokens, tokensBeside } from '../context/message-tokens.ts';
import type { Exchange, Guarded } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';
import type { ModelKind } from '../model-kind.ts';
import { pricesAt } from '../prices.ts';
import { unstatedOutputTokens, type QuotaUnit } from '../quota-terms.ts';
import { shapeOf } from './shape.ts';

/** Counts are estimates of another vendor's tokenizer: as much is put on top as context policies hold back. */
const margin = 1.1;

export interface Estimate {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** At the dearest of the targets; of those without a price nothing is known. */
  readonly nanoUsd: number;
}

type Asked = Guarded<Exchange> & { readonly keep?: readonly number[] | undefined };

/** What is sent, as estimated: prompt, cut and tools included. */
export function sentTokens({ call, keep, prepend }: Pick<Asked, 'call' | 'keep' | 'prepend'>): number {
  const kept = keep === undefined ? call.messages : keep.flatMap((index) => call.messages[index] ?? []);
  return [...prepend, ...kept].reduce((sum, message) => sum + messageTokens(message), tokensBeside(call));
}

/** A client may ask for any number of tokens: from here on all are too many. */
const beyondAll = 1e12;

/** They answer with numbers, which nobody counts. */
const wordless: ReadonlySet<ModelKind> = new Set(['embedding', 'rerank', 'moderation']);

/** One answer. */
function longest({ kind, maxOutputTokens = unstatedOutputTokens }: LiveTarget, asked: number | undefined): number {
  return wordless.has(kind) ? 0 : (asked ?? maxOutputTokens);
}

/** Sounds and images have prices of their own. */
const isOnlyText = ({ messages, system = [] }: Call): boolean =>
  [...system, ...messages.flatMap(({ parts }) => parts)].every(({ type }) => type !== 'image' && type !== 'opaque');

export function estimateOf(exchange: Asked): Estimate {
  const { call, targets, outcome, model } = exchange;
  // Where several may be asked at once, each of them reads it.
  const readers = model.hedgeMs === undefined ? 1 : targets.length;
  const read = Math.ceil((outcome.fit?.tokens ?? sentTokens(exchange)) * margin);
  const inputTokens = read * readers;
  const isText = isOnlyText(call);
  const most = targets.map((target) => {
    const outputTokens = Math.min(beyondAll, longest(target, call.maxOutputTokens) * (call.answers ?? 1));
    const prices = target.prices && pricesAt(target.prices, outcome.startedAt);
    // Each reader is a call of its own, which is what fees and prices of long calls go by.
    const one = prices && mostItCosts({ inputTokens: read, outputTokens, isText }, prices);
    const others = prices && mostItCosts({ inputTokens: read, outputTokens: 0, isText }, prices);
    const money = one && others && { units: one.units + BigInt(readers - 1) * others.units };
    return { outputTokens, nanoUsd: money ? nanoUsd(money) : 0 };
  });
  return {
    inputTokens,
    outputTokens: Math.max(0, ...most.map((each) => each.outputTokens)),
    nanoUsd: Math.max(0, ...most.map((each) => each.nanoUsd)),
  };
}

/** In the unit of a quota; undefined of what is neither tokens nor money. */
export function amountOf(unit: QuotaUnit, of: Estimate): number | undefined {
  switch (unit) {
    case 'inputTokens':
      return of.inputTokens;
    case 'outputTokens':
      return of.outputTokens;
    case 'tokens':
      return of.inputTokens + of.outputTokens;
    case 'usd':
      return of.nanoUsd;
    default:
      return undefined;
  }
}

/** What a call of a model may draw from. */
export const reachOf = (exchange: Asked) => ({
  quotas: exchange.model.quotas,
  estimate: (provider?: string) =>
    estimateOf(
      provider === undefined
        ? exchange
        : { ...exchange, targets: exchange.targets.filter((target) => target.provider.name === provider) },
    ),
  isReady: (target: LiveTarget) => shapeOf(target, exchange.house).isReady,
  longestMs: exchange.model.deadlineMs,
});
