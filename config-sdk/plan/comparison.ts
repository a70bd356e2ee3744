/** One target in the place of another, compared by what matters to those who ask and to those who pay. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Phrase } from './change.ts';
import { priceOf } from './cost.ts';
import { hostOf, whereInWords } from './destination.ts';
import { windowOf, type Leg } from './legs.ts';
import { entryOf, isRecord, type Sides } from './revision.ts';

function factsOf(snapshot: Snapshot, { provider, model }: Leg): Readonly<Record<string, unknown>> {
  const models = entryOf(snapshot.providers, provider)?.models;
  const facts: unknown = models && entryOf(models, model);
  return isRecord(facts) ? facts : {};
}

/** What a model is known to do; undefined when nothing is said of it. */
function capabilitiesOf(snapshot: Snapshot, leg: Leg): readonly unknown[] | undefined {
  const known = factsOf(snapshot, leg)['capabilities'];
  return Array.isArray(known) ? known : undefined;
}

function priceChanges({ base, head }: Sides, old: Leg, now: Leg): Phrase[] {
  const usd = (price: string | undefined): Phrase => [price === undefined ? 'not known' : `$${price}`];
  const parts = (['input', 'output'] as const).flatMap((kind) => {
    const [before, after] = [priceOf(base, old, kind), priceOf(head, now, kind)];
    return before === after ? [] : [say`${[kind]} ${usd(before)} → ${usd(after)}`];
  });
  return parts.length === 0 ? [] : [say`price of a million tokens: ${joined(parts, ', ')}`];
}

/** What one target in the place of another means for data, conversations and the bill. */
export function comparison(sides: Sides, old: Leg, now: Leg): Phrase[] {
  const { base, head } = sides;
  const details: Phrase[] = [];
  const [from, to] = [whereInWords(base, old.provider), whereInWords(head, now.provider)];
  if (hostOf(base, old.provider) !== hostOf(head, now.provider))
    details.push(say`prompts go to ${to} instead of ${from}`);
  const [before, after] = [windowOf(old, base), windowOf(now, head)];
  if (before !== after) details.push(say`context window ${before} → ${after} tokens`);
  const [could, can] = [capabilitiesOf(base, old), capabilitiesOf(head, now)];
  const missing = can && could?.filter((each) => !can.includes(each)).map(String);
  if (missing && missing.length > 0) details.push(say`does not do ${listed(missing)}, which the other did`);
  if (makesOtherVectors(sides, old, now))
    details.push(say`its vectors cannot be compared with those of the other: what is stored must be embedded anew`);
  return [...details, ...priceChanges(sides, old, now)];
}

/** Whoever keeps vectors searches among what another model made. */
export const makesOtherVectors = ({ base, head }: Sides, old: Leg, now: Leg): boolean =>
  old.model !== now.model && factsOf(base, old)['kind'] === 'embedding' && factsOf(head, now)['kind'] === 'embedding';
