/** Whose counts of a quota a request draws from: the only place where a key is made from a request. */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { JsonObject } from '../call.ts';
import type { Exchange, Share } from '../exchange.ts';
import type { LiveAccount, LiveConsumer, LiveModel, LiveQuota, LiveRoute, LiveTarget } from '../generation/live.ts';
import type { QuotaScope } from '../snapshot-quotas.ts';

/** What is known of a request by the time that quotas are asked. */
export type Drawing = Exchange & {
  readonly consumer: LiveConsumer;
  readonly body?: JsonObject;
  readonly model?: LiveModel;
  readonly targets?: readonly LiveTarget[];
  readonly route?: LiveRoute;
  readonly account?: LiveAccount;
};

interface Part {
  /** Without what a client wrote, which may be of any length. */
  readonly value: string;
  readonly words: string;
}

const fingerprint = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** As OpenAI's APIs name it, then as Anthropic's do. */
function userIn({ safety_identifier: identifier, user, metadata }: JsonObject): string | undefined {
  const inMetadata =
    typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
      ? (metadata as JsonObject)['user_id']
      : undefined;
  return textOf(identifier) ?? textOf(user) ?? textOf(inMetadata);
}

function endUser({ request, body = {} }: Drawing, { endUserHeader: header }: LiveQuota): Part {
  const user = header === undefined ? userIn(body) : textOf(request.headers[header]);
  return user === undefined
    ? { value: 'unknown', words: 'all requests that name no end user' }
    : { value: fingerprint(user), words: 'this end user' };
}

/** Whoever has one IPv6 address has all of its /64. */
function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [plain = ''] = address.split('%');
  const [head = '', tail] = plain.toLowerCase().split('::');
  const [before, after] = [head, tail ?? ''].map((groups) => (groups === '' ? [] : groups.split(':')));
  const left = Array.from({ length: Math.max(0, 8 - (before?.length ?? 0) - (after?.length ?? 0)) }, () => '0');
  const all = tail === undefined ? (before ?? []) : [...(before ?? []), ...left, ...(after ?? [])];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}

const named = (sort: string, names: readonly string[]): Part[] =>
  [...new Set(names)].map((value) => ({ value, words: `${sort} '${value}'` }));

/** Who is in none counts alone: a name of a consumer holds no slash, so that it is never that of a group. */
const grouped = (sort: 'team' | 'organisation', consumer: LiveConsumer): Part[] => {
  const group = consumer[sort];
  return group === undefined
    ? [{ value: `alone/${consumer.name}`, words: `consumer '${consumer.name}'` }]
    : named(sort, [group]);
};

const untagged: Part = { value: '', words: 'all requests without a tag' };

function credentialWords({ credential }: LiveConsumer): string {
  if (credential.isCertificate) return 'this certificate of consumer';
  return credential.claims ? 'the subject of this token of consumer' : 'this key of consumer';
}

/** Nothing of one sort: the request does not draw from the quota. */
const parts: Readonly<Record<QuotaScope, (drawing: Drawing, quota: LiveQuota) => readonly Part[]>> = {
  organisation: ({ consumer }) => grouped('organisation', consumer),
  team: ({ consumer }) => grouped('team', consumer),
  consumer: ({ consumer }) => named('consumer', [consumer.name]),
  key: ({ consumer }) => [{ value: consumer.credential.id, words: `${credentialWords(consumer)} '${consumer.name}'` }],
  endUser: (drawing, quota) => [endUser(drawing, quota)],
  address: ({ address = '' }) => [{ value: network(address), words: 'this address' }],
  route: ({ route }) => named('route', route ? [route.name] : []),
  model: ({ model }) => named('model', model ? [model.name] : []),
  provider: ({ targets = [], account }) =>
    named('provider', account ? [account.name] : targets.map(({ provider }) => provider.name)),
  tag: ({ consumer, model, route }) => {
    const tags = named('tag', [...consumer.tags, ...(model?.tags ?? []), ...(route?.tags ?? [])]);
    return tags.length === 0 ? [untagged] : tags;
  },
};

type Named = readonly (Part & { readonly scope: QuotaScope })[];

/**
 * The quota's name keeps the count: neither the limit nor the window's length is part of the key. What was counted in one unit
 * means nothing in another.
 */
function keyOf(name: string, unit: LiveQuota['unit'], of: Named): string {
  const count = unit === 'requests' ? name : `${name}/${unit}`;
  const [first] = of;
  if (!first) return count;
  if (of.length === 1 && first.scope === 'consumer') return `${count}:${first.value}`;
  return `${count}:${of.map(({ scope, value }) => `${scope}=${encodeURIComponent(value)}`).join(',')}`;
}

/** Which quota a key counts for, and in what. */
export function countedBy(key: string): Pick<LiveQuota, 'name' | 'unit'> {
  const [count = ''] = key.split(':', 1);
  const [name = '', unit = 'requests'] = count.split('/');
  return { name, unit: unit as LiveQuota['unit'] };
}

function countedShares(quota: LiveQuota, drawing: Drawing): readonly Share[] {
  const combinations = quota.scope.reduce<readonly Named[]>(
    (found, scope) => {
      const own = parts[scope](drawing, quota).map((part) => ({ ...part, scope }));
      return found.flatMap((each) => own.map((part) => [...each, part]));
    },
    [[]],
  );
  return combinations.map((of) => ({
    key: keyOf(quota.name, quota.unit, of),
    was: quota.was && { key: keyOf(quota.was.name, quota.unit, of), window: quota.was.window },
    words: of.map(({ words }) => words).join(', '),
    provider: of.find(({ scope }) => scope === 'provider')?.value,
  }));
}

/** By whom they are the same for every request of: the consumer, or the quota itself. */
const lasting = new WeakMap<LiveConsumer | LiveQuota, Map<LiveQuota, readonly Share[]>>();

/** The counts of `quota` that a request draws from: one for each combination of what it counts by. */
export function sharesOf(quota: LiveQuota, drawing: Drawing): readonly Share[] {
  const [first, second] = quota.scope;
  if (first !== undefined && (second !== undefined || first !== 'consumer')) return countedShares(quota, drawing);
  const owner = first === undefined ? quota : drawing.consumer;
  let known = lasting.get(owner);
  if (!known) lasting.set(owner, (known = new Map<LiveQuota, readonly Share[]>()));
  let shares = known.get(quota);
  if (!shares) known.set(quota, (shares = countedShares(quota, drawing)));
  return shares;
}
