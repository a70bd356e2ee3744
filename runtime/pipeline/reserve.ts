/**
 * Takes from every quota that applies before anything is spent: all of them, or none. Of what is counted by provider, what counts
 * for the one that is about to be asked; the others' is taken when it comes to them (`onward.ts`).
 */
import type { HeadgateError } from '../errors.ts';
import type { AskedOf, Lease, Reserved } from '../exchange.ts';
import { demandsOf, type Reach } from './demands.ts';
import type { Drawing } from './shares.ts';
import { soonest, take, type Obstacle } from './taking.ts';
import { refusalBy, tellTakings } from './tell-takings.ts';

/** Answers of routes have no deadline: a place that a dead process held is free again after this time. */
export const longestRouteMs = 3_600_000;

/** The provider that is asked first, as far as anybody knows by now. Files have none: theirs is their account. */
function firstProvider({ targets = [] }: Drawing, { isReady = () => true }: Reach): string | undefined {
  return (targets.find(isReady) ?? targets[0])?.provider.name;
}

function byProvider(asked: readonly AskedOf[]): ReadonlyMap<string, readonly AskedOf[]> {
  const known = new Map<string, AskedOf[]>();
  for (const one of asked) {
    const { provider } = one.share;
    if (provider === undefined) continue;
    const own = known.get(provider);
    if (own) own.push(one);
    else known.set(provider, [one]);
  }
  return known;
}

/** Where one provider has no room, its targets are passed over; false where no others are left. */
function passOver(exchange: Drawing, { of: { share, quota }, isAway }: Obstacle): boolean {
  const { targets = [], outcome } = exchange;
  const { provider } = share;
  const left = targets.filter((target) => target.provider.name !== provider);
  if (provider === undefined || isAway || left.length === 0 || left.length === targets.length) return false;
  for (const target of targets)
    if (target.provider.name === provider) outcome.crowded.push({ target: target.label, quota: quota.name });
  outcome.order.splice(0, outcome.order.length, ...left.map(({ label }) => label));
  Object.assign(exchange, { targets: left });
  return true;
}

/** Of several providers without room, the one that has some first is told of. */
function refusal(exchange: Drawing, last: Obstacle, passed: readonly Obstacle[]): HeadgateError {
  if (last.of.share.provider === undefined || last.isAway) return refusalBy(exchange, last);
  const told = soonest([...passed, last]) ?? last;
  if (told !== last)
    for (const target of exchange.outcome.order) exchange.outcome.crowded.push({ target, quota: last.of.quota.name });
  return refusalBy(exchange, told);
}

export async function reserve<E extends Drawing>(exchange: E, reach: Reach): Promise<Reserved<E>> {
  const passed: Obstacle[] = [];
  for (;;) {
    const all = demandsOf(reach, exchange);
    const own = byProvider(all);
    const first = own.size > 0 ? firstProvider(exchange, reach) : undefined;
    const asked = first === undefined ? all : all.filter(({ share: { provider } }) => (provider ?? first) === first);
    const took = await take(exchange, asked);
    if ('takings' in took) {
      const { takings } = took;
      tellTakings(exchange, { asked, takings });
      const entered = new Set(first === undefined ? [] : [first]);
      const lease: Lease = { takings, byProvider: own, entered, underWay: new Set() };
      return Object.assign(exchange, { lease });
    }
    if (!passOver(exchange, took.obstacle)) throw refusal(exchange, took.obstacle, passed);
    passed.push(took.obstacle);
  }
}
