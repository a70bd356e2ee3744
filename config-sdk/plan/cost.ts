/** What input tokens cost, in exact decimals: prices are texts in USD per million tokens, and no float touches them. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import type { Leg } from './legs.ts';
import { entryOf, isRecord } from './revision.ts';

type Kind = 'input' | 'output';

/** A whole number that compares as the price does. */
const amountOf = (price: string): bigint => {
  const [whole = '0', fraction = ''] = price.split('.');
  return BigInt(whole + fraction.padEnd(20, '0'));
};

const byAmount = (one: string, other: string): number => (amountOf(one) < amountOf(other) ? -1 : 1);

/**
 * USD for a million tokens of a call of usual length, as the provider of a model declares it; undefined when it is not known. Of
 * prices with dates the dearest: a plan has no clock.
 */
export function priceOf(
  snapshot: Snapshot,
  { provider, model }: Pick<Leg, 'provider' | 'model'>,
  kind: Kind,
): string | undefined {
  const models = entryOf(snapshot.providers, provider)?.models;
  const facts: unknown = models && entryOf(models, model);
  const prices = isRecord(facts) ? facts['prices'] : undefined;
  const found = (Array.isArray(prices) ? prices : [prices]).flatMap((each: unknown) => {
    const price = isRecord(each) ? each[kind] : undefined;
    return typeof price === 'string' && /^\d{1,20}(\.\d{1,20})?$/.test(price) ? [price] : [];
  });
  return found.toSorted(byAmount).at(-1);
}

const perMillion = 6;
const requests = 3;
/** More than a price may have. */
const places = 20;

/** Without trailing zeros, but with cents. */
function dollars(units: bigint, decimals: number): string {
  const digits = units.toString().padStart(decimals + 1, '0');
  const cents = digits.slice(-decimals).replace(/0+$/, '').padEnd(2, '0');
  return `$${digits.slice(0, -decimals)}.${cents}`;
}

/** What stands before and after the point of a price. */
function digitsOf(price: string): { readonly whole: string; readonly fraction: string } {
  const [whole = '0', fraction = ''] = price.split('.');
  return { whole, fraction };
}

/** USD for a thousand requests of so many input tokens each. */
export function costOfThousand(tokens: number, price: string): string {
  const { whole, fraction } = digitsOf(price);
  return dollars(BigInt(whole + fraction) * BigInt(tokens), fraction.length + perMillion - requests);
}

export interface Priced {
  readonly tokens: number;
  /** USD for a million of them. */
  readonly price: string;
}

/** USD for all of them. */
export function costOf(parts: readonly Priced[]): string {
  const units = parts.map(({ tokens, price }) => {
    const { whole, fraction } = digitsOf(price);
    return BigInt(whole + fraction.padEnd(places, '0')) * BigInt(tokens);
  });
  return dollars(
    units.reduce((sum, each) => sum + each, 0n),
    places + perMillion,
  );
}
