/** What an object says of itself, piece by piece: how likely two of them are one under two names is told by what they share. */
import { canonicalJson } from '@headgate/runtime/canonical-json';
import { windowOf, type Snapshot, type TargetNode } from '@headgate/runtime/snapshot';
import { everyMethod } from './answering.ts';
import { legsOf } from './legs.ts';
import { optionChanges } from './option-changes.ts';
import { entryOf } from './revision.ts';

export const leaves = ['providers', 'prompts', 'contextPolicies', 'policies', 'quotas', 'upstreams'] as const;
export type Collection = (typeof leaves)[number] | 'models' | 'routes' | 'consumers';

/** One thing that an object says: of what sort, and which. */
export interface Trait {
  readonly sort: string;
  readonly value: string;
  /** Values that nobody wants to read again, or that may be nobody's business, such as those of headers. */
  readonly hidden?: true;
}

export interface Traits {
  /** Where these are, they decide alone: requests to the same place, or with the same key, are the same requests. */
  readonly identity: readonly string[];
  readonly says: readonly Trait[];
}

const each = (sort: string, values: readonly string[] | undefined): Trait[] =>
  [...new Set(values)].map((value) => ({ sort, value }));

/** Each value of free options at its path; members of a list count for themselves, in whatever order. */
const optionTraits = (options: unknown): Trait[] =>
  optionChanges(undefined, options).flatMap(({ path, after }): Trait[] => {
    const sort = path.join('.');
    if (Array.isArray(after)) return after.map((value): Trait => ({ sort, value: canonicalJson(value), hidden: true }));
    return after === undefined ? [] : [{ sort, value: canonicalJson(after), hidden: true }];
  });

/** Neighbouring words: texts of two prompts share many words, but few of their pairs. */
function wordPairs(texts: readonly (string | undefined)[]): Trait[] {
  const seen = new Map<string, number>();
  return texts.flatMap((text) => {
    if (text === undefined) return [];
    const words = ['', ...text.split(/\s+/).filter((word) => word !== ''), ''];
    return words.slice(1).map((word, index): Trait => {
      const pair = `${words[index] ?? ''} ${word}`;
      const count = (seen.get(pair) ?? 0) + 1;
      seen.set(pair, count);
      return { sort: 'text', value: `${pair} ${count}` };
    });
  });
}

const targetsOf = (root: TargetNode): string[] => legsOf(root).map(({ label }) => label);

type Read<Key extends Collection> = (object: Snapshot[Key][string]) => Traits;

/** Without what nearly all objects of a sort have in common, such as defaults: that makes no two of them alike. */
const readers: { readonly [Key in Collection]: Read<Key> } = {
  providers: ({ kind, options, models }) => ({
    identity: [],
    says: [{ sort: 'kind', value: kind }, ...optionTraits(options), ...each('model', Object.keys(models))],
  }),
  prompts: ({ system, user }) => ({ identity: [], says: wordPairs([system, user]) }),
  contextPolicies: ({ kind, options }) => ({
    identity: [],
    says: [{ sort: 'kind', value: kind }, ...optionTraits(options)],
  }),
  policies: ({ kind, options }) => ({ identity: [], says: [{ sort: 'kind', value: kind }, ...optionTraits(options)] }),
  quotas: (quota) => ({
    identity: [],
    says: [
      { sort: 'limit', value: `${quota.limit} ${quota.unit}` },
      { sort: 'window', value: canonicalJson(windowOf(quota) ?? null), hidden: true },
    ],
  }),
  upstreams: ({ url, headers }) => ({
    identity: [],
    says: [{ sort: 'url', value: url }, ...optionTraits({ headers })],
  }),
  models: ({ targets, prompt, context, policies, quotas }) => ({
    identity: [],
    says: [
      ...each('target', targetsOf(targets)),
      ...each('prompt', prompt && [prompt.name]),
      ...each('context policy', context === undefined ? [] : [context]),
      ...each('policy', policies),
      ...each('quota', quotas),
    ],
  }),
  routes: ({ path, host = '', methods = everyMethod, upstream, stripPrefix, quotas }) => ({
    identity: methods.map((method) => `${method} ${host}${path}`),
    says: [
      ...each('upstream', [upstream]),
      ...each('prefix', stripPrefix === undefined ? [] : [stripPrefix]),
      ...each('quota', quotas),
    ],
  }),
  consumers: ({ keys, models, routes, prompts, quotas }) => ({
    identity: keys,
    says: [...each('model', models), ...each('route', routes), ...each('prompt', prompts), ...each('quota', quotas)],
  }),
};

export function traitsOf<Key extends Collection>(snapshot: Snapshot, collection: Key, name: string): Traits {
  const objects: Snapshot[Key] = snapshot[collection];
  const object = entryOf(objects as Readonly<Record<string, Snapshot[Key][string]>>, name);
  return object === undefined ? { identity: [], says: [] } : readers[collection](object);
}
