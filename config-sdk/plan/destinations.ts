/** Providers and upstreams: addresses, credentials and accounts, which decide who sees the data and who pays. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Change, type Phrase, type Risk } from './change.ts';
import { hostOf, modelsByProvider, modelsByTarget, routesByUpstream, whereInWords } from './destination.ts';
import { durationInWords } from './duration-words.ts';
import { optionChanges, optionInWords, type OptionChange } from './option-changes.ts';
import { priceChanges } from './price-words.ts';
import { paired, type Pair, type Sides } from './revision.ts';

type Provider = Snapshot['providers'][string];
type Upstream = Snapshot['upstreams'][string];

type Users = (name: string) => readonly string[];

const used = (names: readonly string[], sort: string): Phrase =>
  names.length === 0
    ? say`no ${[sort]} uses it`
    : say`used by ${[sort + (names.length === 1 ? '' : 's')]} ${listed(names)}`;

/** Names of the secrets in a piece of configuration. */
function secretsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = (value as { readonly $secret?: unknown }).$secret;
  return typeof own === 'string' ? [own] : Object.values(value).flatMap(secretsIn);
}

const isSecret = (value: unknown): boolean => typeof value === 'object' && secretsIn(value).length > 0;

interface Judged {
  readonly kind: Change['kind'];
  readonly risk: Risk;
}

/** What a changed option of a provider or upstream means. */
function judge({ path: [first = '', ...rest], before, after }: OptionChange): Judged {
  if (first === 'baseUrl' || first === 'url') return { kind: 'destination_changed', risk: 'high' };
  if (isSecret(before) || isSecret(after)) return { kind: 'credential_changed', risk: 'high' };
  if (first === 'allowInsecureHttp') return { kind: 'destination_changed', risk: after === true ? 'high' : 'low' };
  return { kind: 'destination_changed', risk: first === 'headers' && rest.length === 0 ? 'low' : 'medium' };
}

const consequences: Readonly<Record<string, Phrase>> = {
  baseUrl: say`prompts and answers go there instead`,
  url: say`requests go there instead`,
  allowInsecureHttp: say`decides whether keys and prompts may travel in the clear`,
};

function changesOf(subject: Phrase, object: string, found: readonly OptionChange[], users: Phrase): Change[] {
  return found.map((each): Change => {
    const effect = consequences[each.path[0] ?? ''];
    return {
      ...judge(each),
      object,
      sentence: say`${subject}: ${optionInWords(each)}${effect ? say`; ${effect}` : []}`,
      details: [users],
    };
  });
}

function providerComes(name: string, provider: Provider, { base, head }: Sides, users: Users): Change {
  const host = hostOf(head, name);
  const known = Object.keys(base.providers).some((each) => hostOf(base, each) === host);
  const secrets = secretsIn(provider.options);
  const credential = secrets.length === 0 ? say`no credential` : say`credential ${listed(secrets)}`;
  const news = host === '' || known ? [] : say`, a host that nothing was sent to before`;
  return {
    kind: 'destination_added',
    risk: host === '' ? 'low' : known ? 'medium' : 'high',
    object: `providers.${name}`,
    sentence: say`provider ${name} is new: prompts may go to ${whereInWords(head, name)}${news}`,
    details: [say`kind ${provider.kind}; ${credential}; ${used(users(name), 'model')}`],
  };
}

function providerChanges({ name, before, after }: Pair<Provider>, head: Snapshot, usersOf: Users): Change[] {
  const object = `providers.${name}`;
  const users = used(usersOf(name), 'model');
  const subject = say`provider ${name}`;
  const found = optionChanges(before.options, after.options);
  if (before.kind === after.kind) return changesOf(subject, object, found, users);
  const sentence = say`${subject} is of another kind: ${before.kind} → ${after.kind}, at ${whereInWords(head, name)}`;
  const details = [users, ...(found.length === 0 ? [] : [joined(found.map(optionInWords), '; ')])];
  return [{ kind: 'destination_changed', risk: 'high', object, sentence, details }];
}

function factChanges({ name, before, after }: Pair<Provider>, usersOf: Users): Change[] {
  const { added, removed, kept } = paired(before.models, after.models);
  const object = `providers.${name}`;
  const comings = [
    ...(added.length === 0 ? [] : [say`now declares ${listed(added.map((each) => each.name))}`]),
    ...(removed.length === 0 ? [] : [say`no longer declares ${listed(removed.map((each) => each.name))}`]),
  ];
  const changes = kept.flatMap((pair): Change[] => {
    const found = optionChanges(pair.before, pair.after);
    if (found.length === 0) return [];
    const label = `${name}/${pair.name}`;
    const users = used(usersOf(label), 'model');
    const prices = priceChanges(pair.before.prices, pair.after.prices);
    const others = found.filter(({ path }) => path[0] !== 'prices').map(optionInWords);
    const known: Change = {
      kind: 'facts_changed',
      risk: 'low',
      object,
      sentence: say`what is known of ${label}: ${joined(others, '; ')}`,
      details: [users],
    };
    const priced: Change = {
      kind: 'facts_changed',
      risk: 'medium',
      object,
      sentence: say`prices of ${label}: ${[prices.join('; ')]}`,
      details: [users],
    };
    return [...(prices.length === 0 ? [] : [priced]), ...(others.length === 0 ? [] : [known])];
  });
  if (comings.length === 0) return changes;
  const sentence = say`provider ${name} ${joined(comings, ' and ')}`;
  return [...changes, { kind: 'facts_changed', risk: 'info', object, sentence, details: [] }];
}

function upstreamChanges({ name, before, after }: Pair<Upstream>, usersOf: Users): Change[] {
  const users = used(usersOf(name), 'route');
  const { timeout: old, ...rest } = before;
  const { timeout: now, ...others } = after;
  const changes = changesOf(say`upstream ${name}`, `upstreams.${name}`, optionChanges(rest, others), users);
  if (old === now) return changes;
  const sentence = say`upstream ${name}: timeout ${[durationInWords(old)]} → ${[durationInWords(now)]}`;
  return [
    ...changes,
    { kind: 'delivery_changed', risk: 'low', object: `upstreams.${name}`, sentence, details: [users] },
  ];
}

function upstreamsComeAndGo({ base, head }: Sides, usersOf: Users): Change[] {
  const { added, removed } = paired(base.upstreams, head.upstreams);
  return [
    ...added.map(({ name, after }): Change => ({
      kind: 'destination_added',
      risk: 'medium',
      object: `upstreams.${name}`,
      sentence: say`upstream ${name} is new: requests may go to ${after.url}`,
      details: [used(usersOf(name), 'route')],
    })),
    ...removed.map(({ name, before }): Change => ({
      kind: 'destination_removed',
      risk: 'info',
      object: `upstreams.${name}`,
      sentence: say`upstream ${name} (${before.url}) is gone`,
      details: [],
    })),
  ];
}

export function destinationChanges(sides: Sides): Change[] {
  const { base, head } = sides;
  const { added, removed, kept } = paired(base.providers, head.providers);
  const [models, targets, routes] = [modelsByProvider(head), modelsByTarget(head), routesByUpstream(head)];
  return [
    ...added.map(({ name, after }) => providerComes(name, after, sides, models)),
    ...removed.map(({ name }): Change => ({
      kind: 'destination_removed',
      risk: 'info',
      object: `providers.${name}`,
      sentence: say`provider ${name} (${whereInWords(base, name)}) is gone`,
      details: [],
    })),
    ...kept.flatMap((pair) => [...providerChanges(pair, head, models), ...factChanges(pair, targets)]),
    ...upstreamsComeAndGo(sides, routes),
    ...paired(base.upstreams, head.upstreams).kept.flatMap((pair) => upstreamChanges(pair, routes)),
  ];
}
