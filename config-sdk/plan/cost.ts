/** What input tokens cost, in exact decimals: prices are texts in USD per million tokens, and no float touches them. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import type { Leg } from './legs.ts';
import { entryOf, isRecord } from './revision.ts';

type Kind = 'input' | 'output';

/** USD for a million tokens, as the provider of a model declares it; undefined when it is not known. */
export function priceOf(
  snapshot: Snapshot,
  { provider, model }: Pick<Leg, 'provider' | 'model'>,
  kind: Kind,
): string | undefined {
  const models = entryOf(snapshot.providers, provider)?.models;
  const facts: unknown = models && entryOf(models, model);
  const prices = isRecord(facts) ? facts['prices'] : undefined;
  const price = isRecord(prices) ? prices[kind] : undefined;
  return typeof price === 'string' && /^\d{1,20}(\.\d{1,20})?$/.test(price) ? price : undefined;
}

const perMillion = 6;
const requests = 3;

/** USD for a thousand requests of so many input tokens each, without trailing zeros but with cents. */
export function costOfThousand(tokens: number, price: string): string {
  const [whole = '0', fraction = ''] = price.split('.');
  const units = BigInt(whole + fraction) * BigInt(tokens);
  const places = fraction.length + perMillion - requests;
  const digits = units.toString().padStart(places + 1, '0');
  const cents = digits.slice(-places).replace(/0+$/, '').padEnd(2, '0');
  return `$${digits.slice(0, -places)}.${cents}`;
}
