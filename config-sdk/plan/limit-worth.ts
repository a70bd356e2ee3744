/** What a quota of tokens comes to in money: all of them at the dearest price of the models that draw from it. */
import { everyPrice, mostItCosts, usableModels, type QuotaSnapshot, type Snapshot } from '@headgate/runtime/snapshot';
import { moneyInWords, sameLimit } from './limit-words.ts';
import { say, type Phrase } from './change.ts';
import { targetsOf } from './legs.ts';
import { entryOf, namesOf, type Pair } from './revision.ts';

interface Worth {
  readonly units: bigint;
  readonly label: string;
}

/** Models whose calls draw from a quota, by their own or by their consumer's. */
function modelsBehind(name: string, snapshot: Snapshot): readonly string[] {
  const all = namesOf(snapshot.models);
  const own = all.filter((model) => entryOf(snapshot.models, model)?.quotas?.includes(name));
  const used = namesOf(snapshot.consumers).flatMap((consumer) => {
    const { quotas = [], ...bounds } = entryOf(snapshot.consumers, consumer) ?? {};
    return quotas.includes(name) ? (usableModels(bounds, snapshot.models) ?? all) : [];
  });
  return [...new Set([...own, ...used])];
}

function worthOf(
  { name, quota }: { readonly name: string; readonly quota: QuotaSnapshot },
  snapshot: Snapshot,
): Worth | undefined {
  if (quota.unit !== 'tokens' && quota.unit !== 'inputTokens' && quota.unit !== 'outputTokens') return undefined;
  const tokens = {
    inputTokens: quota.unit === 'outputTokens' ? 0 : quota.limit,
    outputTokens: quota.unit === 'inputTokens' ? 0 : quota.limit,
  };
  let dearest: Worth | undefined;
  for (const model of modelsBehind(name, snapshot))
    for (const { provider, model: id } of targetsOf(
      entryOf(snapshot.models, model)?.targets ?? { kind: 'group', balance: '', of: [] },
    )) {
      const models = entryOf(snapshot.providers, provider)?.models;
      const prices = models && entryOf(models, id)?.prices;
      if (!prices) continue;
      // All of one sort or all of the other, whichever is dearer.
      const each = everyPrice(prices).flatMap((some) => [
        mostItCosts({ ...tokens, outputTokens: 0, isText: false }, some),
        mostItCosts({ ...tokens, inputTokens: 0 }, some),
      ]);
      const most = each.reduce((one, other) => (other.units > one.units ? other : one));
      if (!dearest || most.units > dearest.units) dearest = { units: most.units, label: `${provider}/${id}` };
    }
  return dearest;
}

/** Nothing where no price is known, or the count is no count of tokens. */
export function worthInWords({ name, before, after }: Pair<QuotaSnapshot>, base: Snapshot, head: Snapshot): Phrase[] {
  if (sameLimit(before, after)) return [];
  const [old, now] = [worthOf({ name, quota: before }, base), worthOf({ name, quota: after }, head)];
  if (!now || now.units === 0n) return [];
  const was = old && old.units > 0n ? say` (before: ${[moneyInWords(old)]})` : [];
  return [say`comes to at most ${[moneyInWords(now)]}${was}, all at ${now.label}`];
}
