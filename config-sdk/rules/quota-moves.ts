/** Quotas that go on from another one's count, and those that send calls to a cheaper model. */
import {
  formerOf,
  windowOf,
  type ConsumerSnapshot,
  type ModelSnapshot,
  type ProviderSnapshot,
} from '@headgate/runtime/snapshot';
import { limitsOf } from './quotas.ts';
import { byName, problemAt, served, type Problem, type Project, type Rule } from './rule.ts';
import { legsOf } from './targets.ts';

export const livingFormerNames: Rule = (project) => {
  const living = new Set(limitsOf(project).map(({ object }) => object.id));
  return limitsOf(project).flatMap(({ object, value }): Problem[] => {
    const former = formerOf(object.id, value);
    if (!former || !living.has(former.name)) return [];
    const isOwn = former.name === object.id;
    if (isOwn && JSON.stringify(former.window) !== JSON.stringify(windowOf(value))) return [];
    const own = typeof value.was === 'string' ? 'which is its own name' : 'which is its own name and window';
    const message = `quota '${object.id}' goes on from what '${former.name}' has counted, ${isOwn ? own : 'which there still is'}`;
    return problemAt(project, { object, path: ['was'] }, { code: 'quota_was_alive', message });
  });
};

interface Leg {
  readonly name: string;
  readonly kind: string;
  readonly isPriced: boolean;
}

function legs(project: Project, model: string): readonly Leg[] {
  const providers = byName(project, 'provider');
  const found = served<ModelSnapshot>(project, 'model').find(({ object }) => object.id === model);
  return legsOf(found?.value.targets ?? { kind: 'group', balance: '', of: [] }, []).flatMap(({ node }): Leg[] => {
    const account = providers.get(node.provider)?.value as ProviderSnapshot | undefined;
    const facts = account && Object.hasOwn(account.models, node.model) ? account.models[node.model] : undefined;
    const kind = facts?.kind === undefined || facts.kind === 'responses' ? 'chat' : facts.kind;
    return facts ? [{ name: `${node.provider}/${node.model}`, kind, isPriced: facts.prices !== undefined }] : [];
  });
}

/** What is wrong with it for those that draw from `beside`, which are models when `asked` names one. */
function misfit(
  project: Project,
  {
    to,
    asked,
    beside,
  }: { readonly to: string; readonly asked: string | undefined; readonly beside: readonly string[] },
): string | undefined {
  const cheaper = legs(project, to);
  const [meant] = asked === undefined ? [] : legs(project, asked);
  const [given] = cheaper;
  if (meant && given && meant.kind !== given.kind)
    return `'${to}' is for ${given.kind}, and '${asked}' for ${meant.kind}`;
  const money = limitsOf(project).find(({ object, value }) => value.unit === 'usd' && beside.includes(object.id));
  const unpriced = cheaper.find(({ isPriced }) => !isPriced);
  return money && unpriced && `${unpriced.name} has no price, and quota '${money.object.id}' counts usd`;
}

export const unfitDowngrades: Rule = (project) =>
  limitsOf(project).flatMap(({ object, value }): Problem[] => {
    const to = value.downgrade?.to;
    if (to === undefined) return [];
    const models = served<ModelSnapshot>(project, 'model').filter(({ object: { id } }) => id !== to);
    const drawing = [
      ...models.map((each) => ({ asked: each.object.id, beside: each.value.quotas ?? [] })),
      ...served<ConsumerSnapshot>(project, 'consumer').map((each) => ({
        asked: undefined,
        beside: each.value.quotas ?? [],
      })),
    ].filter(({ beside }) => beside.includes(object.id));
    const [why] = drawing.flatMap((each) => misfit(project, { ...each, to }) ?? []);
    if (why === undefined) return [];
    const message = `quota '${object.id}' cannot send calls to '${to}': ${why}`;
    return problemAt(project, { object, path: ['downgrade', 'to'] }, { code: 'quota_downgrade_unfit', message });
  });
