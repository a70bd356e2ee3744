/** Where so much of a quota is used that a cheaper model is to serve: its targets and its context policy in place of those asked for. */
import { HeadgateError } from '../errors.ts';
import type { Exchange, Resolved } from '../exchange.ts';
import type { LiveModel, LiveQuota } from '../generation/live.ts';
import { StoreUnavailable } from '../quota/store.ts';
import { writeDowngrades } from './quota-headers.ts';
import { targetsOf, type Purpose } from './resolve.ts';
import { sharesOf } from './shares.ts';

type Declared = LiveQuota & { readonly downgrade: NonNullable<LiveQuota['downgrade']> };

const isDeclared = (quota: LiveQuota): quota is Declared => quota.downgrade !== undefined;

const union = <Each extends { readonly name: string }>(one: readonly Each[], other: readonly Each[]): Each[] => [
  ...new Map([...one, ...other].map((each) => [each.name, each])).values(),
];

/** What clients asked for keeps its name, its prompt and all that limits it. */
const standIn = (asked: LiveModel, cheaper: LiveModel): LiveModel => ({
  ...cheaper,
  name: asked.name,
  tags: asked.tags,
  prompt: asked.prompt,
  render: asked.render,
  isStrict: asked.isStrict || cheaper.isStrict,
  policies: union(asked.policies, cheaper.policies),
  quotas: union(asked.quotas, cheaper.quotas),
});

/** The first of these quotas of which so much is used or held. With the store down nothing is known, and nobody downgraded. */
async function beyond(exchange: Resolved<Exchange>, quotas: readonly Declared[]): Promise<Declared | undefined> {
  const counts = quotas.flatMap((quota) => sharesOf(quota, exchange).map(({ key, was }) => ({ quota, key, was })));
  if (counts.length === 0) return undefined;
  try {
    const readings = await exchange.house.quotas.read(
      counts.map(({ quota: { limit, window }, key, was }) => ({ key, was, limit, window })),
    );
    return counts.find(({ quota }, index) => (readings[index]?.used ?? 0) >= quota.downgrade.at * quota.limit)?.quota;
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}

/** Undefined where the cheaper one cannot serve this request: who cannot be downgraded is served as asked. */
function targetsAt(model: LiveModel, purpose: Purpose, exchange: Resolved<Exchange>): Resolved['targets'] | undefined {
  try {
    return targetsOf(model, purpose, exchange);
  } catch (error) {
    if (error instanceof HeadgateError) return undefined;
    throw error;
  }
}

/** A cheaper model may have a cheaper one in turn. No model is come to twice. */
export async function downgrade<E extends Resolved<Exchange>>(exchange: E, purpose: Purpose): Promise<E> {
  const { consumer, generation, outcome } = exchange;
  if (!consumer.quotas.some(isDeclared) && !exchange.model.quotas.some(isDeclared)) return exchange;
  const passed = new Set([exchange.model.name]);
  for (;;) {
    const { model } = exchange;
    const declared = union(consumer.quotas, model.quotas)
      .filter(isDeclared)
      .filter((quota) => !passed.has(quota.downgrade.to));
    const quota = await beyond(exchange, declared);
    if (!quota) break;
    const { to } = quota.downgrade;
    passed.add(to);
    const cheaper = generation.tables.models.get(to);
    const targets = cheaper && targetsAt(cheaper, purpose, exchange);
    if (!cheaper || !targets) continue;
    outcome.downgraded.push({ quota: quota.name, to });
    outcome.order.splice(0, outcome.order.length, ...targets.map(({ label }) => label));
    Object.assign(exchange, { model: standIn(model, cheaper), targets });
  }
  writeDowngrades(exchange);
  return exchange;
}
