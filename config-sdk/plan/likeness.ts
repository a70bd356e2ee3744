/** Pairs objects that are gone with objects that are new, where they are more alike than different and there is no doubt which. */
import type { Snapshot } from '@headgate/runtime/snapshot';
import { counted, joined, listed, say, type Phrase } from './change.ts';
import { namesOf, referrers, type Sides } from './revision.ts';
import { leaves, traitsOf, type Collection, type Trait, type Traits } from './traits.ts';

/** Why two objects were taken for one. */
interface Likeness {
  readonly collection: Collection;
  /** What both say. */
  readonly shared: readonly Trait[];
  /** How many things the one that says more of them says. */
  readonly compared: number;
  readonly share: number;
  readonly sameIdentity: boolean;
  /** Whether something refers to the one as it did to the other. */
  readonly samePlace: boolean;
}

interface Candidate {
  readonly name: string;
  readonly traits: Traits;
  readonly users: readonly string[];
}

/** What refers to each object of a collection, such as `models.chat`. */
function usersIn(snapshot: Snapshot, collection: Collection): (name: string) => string[] {
  const { models, routes, consumers } = snapshot;
  const of =
    (sort: string, find: (name: string) => readonly string[]) =>
    (name: string): string[] =>
      find(name).map((user) => `${sort}.${user}`);
  const text = (value: string | undefined): string[] => (value === undefined ? [] : [value]);
  switch (collection) {
    case 'providers':
      return of(
        'models',
        referrers(models, (model) => providersOf(model.targets)),
      );
    case 'prompts':
      return of(
        'models',
        referrers(models, ({ prompt }) => text(prompt?.name)),
      );
    case 'contextPolicies':
      return of(
        'models',
        referrers(models, ({ context }) => text(context)),
      );
    case 'policies':
      return of(
        'models',
        referrers(models, ({ policies = [] }) => policies),
      );
    case 'upstreams':
      return of(
        'routes',
        referrers(routes, ({ upstream }) => [upstream]),
      );
    case 'quotas': {
      const drawing = [
        of(
          'models',
          referrers(models, ({ quotas = [] }) => quotas),
        ),
        of(
          'routes',
          referrers(routes, ({ quotas = [] }) => quotas),
        ),
        of(
          'consumers',
          referrers(consumers, ({ quotas = [] }) => quotas),
        ),
      ];
      return (name) => drawing.flatMap((find) => find(name));
    }
    case 'models':
      return of(
        'consumers',
        referrers(consumers, (consumer) => consumer.models ?? []),
      );
    case 'routes':
      return of(
        'consumers',
        referrers(consumers, (consumer) => consumer.routes ?? []),
      );
    default:
      return () => [];
  }
}

const providersOf = (node: Snapshot['models'][string]['targets']): string[] =>
  node.kind === 'target' ? [node.provider] : node.of.flatMap((member) => providersOf(member.node));

const written = ({ sort, value }: Trait): string => `${sort} ${value}`;

/** Twice what both have, of what each has. */
const dice = (shared: number, one: number, other: number): number =>
  one + other === 0 ? 0 : (2 * shared) / (one + other);

const placed = new Set<Collection>(leaves.filter((each) => each !== 'prompts'));

function likeness(collection: Collection, old: Candidate, now: Candidate): Likeness & { readonly rank: number[] } {
  const has = new Set(now.traits.says.map(written));
  const shared = old.traits.says.filter((trait) => has.has(written(trait)));
  const keys = new Set(now.traits.identity);
  const same = old.traits.identity.filter((key) => keys.has(key)).length;
  const users = new Set(now.users);
  const common = old.users.filter((user) => users.has(user)).length;
  // That something refers to it counts as one thing said, however many do.
  const place = placed.has(collection) && old.users.length + users.size > 0 ? 1 : 0;
  const here = place === 1 && common > 0 ? 1 : 0;
  const [one, other] = [old.traits.says.length + place, now.traits.says.length + place];
  const share = dice(shared.length + here, one, other);
  const identity = dice(same, old.traits.identity.length, keys.size);
  return {
    collection,
    shared,
    compared: Math.max(one, other),
    share,
    sameIdentity: same > 0,
    samePlace: here === 1,
    rank: [identity, share, dice(common, old.users.length, users.size)],
  };
}

type Compared = ReturnType<typeof likeness>;

function isOne(old: Candidate, now: Candidate, { sameIdentity, share }: Compared): boolean {
  const identified = old.traits.identity.length + now.traits.identity.length > 0;
  return identified ? sameIdentity : share > 0.5;
}

function compareRanks(a: Compared, b: Compared): number {
  for (const [index, rank] of a.rank.entries()) {
    const difference = rank - (b.rank[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What more objects than this say tells none of them apart, and comparing all with all would take too long. */
const mostHolders = 50;

/** Those of `candidates` that share something uncommon with an object. */
function sharing(candidates: readonly Candidate[]): (candidate: Candidate) => ReadonlySet<Candidate> {
  const holders = new Map<string, Candidate[]>();
  const marks = ({ traits, users }: Candidate): string[] => [
    ...traits.identity.map((key) => `is ${key}`),
    ...traits.says.map(written),
    ...users.map((user) => `for ${user}`),
  ];
  for (const candidate of candidates)
    for (const mark of marks(candidate)) {
      const known = holders.get(mark);
      if (known) known.push(candidate);
      else holders.set(mark, [candidate]);
    }
  return (candidate) => {
    const lists = marks(candidate).map((mark) => holders.get(mark) ?? []);
    return new Set(lists.filter(({ length }) => length <= mostHolders).flat());
  };
}

/** The one that is liked best, unless two are liked alike. */
function best<Key>(found: ReadonlyMap<Key, Compared> | undefined): Key | undefined {
  const [first, second] = [...(found ?? [])].toSorted(([, a], [, b]) => compareRanks(b, a));
  if (!first || (second && compareRanks(first[1], second[1]) === 0)) return undefined;
  return first[0];
}

function candidatesIn(snapshot: Snapshot, collection: Collection): (name: string) => Candidate {
  const users = usersIn(snapshot, collection);
  return (name) => ({ name, traits: traitsOf(snapshot, collection, name), users: users(name) });
}

/** New names by old ones: each must be the best match of the other, and no third as good. */
export function likePairs({ base, head }: Sides, collection: Collection): Map<string, string> {
  const missing = (from: Snapshot, other: Snapshot): string[] =>
    namesOf(from[collection]).filter((name) => !Object.hasOwn(other[collection], name));
  const [gone, come] = [missing(base, head), missing(head, base)];
  if (gone.length === 0 || come.length === 0) return new Map();
  const near = sharing(come.map(candidatesIn(head, collection)));
  const [forth, back] = [new Map<string, Map<string, Compared>>(), new Map<string, Map<string, Compared>>()];
  for (const old of gone.map(candidatesIn(base, collection)))
    for (const now of near(old)) {
      const compared = likeness(collection, old, now);
      if (!isOne(old, now, compared)) continue;
      forth.set(old.name, (forth.get(old.name) ?? new Map<string, Compared>()).set(now.name, compared));
      back.set(now.name, (back.get(now.name) ?? new Map<string, Compared>()).set(old.name, compared));
    }
  return new Map(
    [...forth].flatMap(([old, found]): [string, string][] => {
      const name = best(found);
      return name !== undefined && best(back.get(name)) === old ? [[old, name]] : [];
    }),
  );
}

/** What two objects were taken for one by, for a reviewer who knows better; asked once both have one name. */
export function likenessInWords({ base, head }: Sides, collection: Collection): (name: string) => Phrase {
  const [before, after] = [candidatesIn(base, collection), candidatesIn(head, collection)];
  return (name) => inWords(likeness(collection, before(name), after(name)));
}

function inWords({ collection, shared, compared, share, samePlace, sameIdentity }: Likeness): Phrase {
  if (sameIdentity)
    return [`taken for a rename: both ${collection === 'routes' ? 'answer the same requests' : 'have the same key'}`];
  if (collection === 'prompts') return [`taken for a rename: ${Math.floor(share * 100)}% of the text is the same`];
  const bySort = Map.groupBy(shared, ({ sort }) => sort);
  const parts = [...bySort].map(([sort, traits]): Phrase => {
    const values = traits.flatMap(({ value, hidden }) => (hidden ? [] : [value]));
    if (values.length > 0) return say`${[sort]} ${listed(values)}`;
    return traits.length === 1 ? say`${sort}` : say`${sort} (${counted(traits.length, 'entry', 'entries')})`;
  });
  const where = samePlace ? [say`what refers to it`] : [];
  const same = shared.length + where.length;
  return say`taken for a rename: ${same} of ${compared} things compared are the same: ${joined([...parts, ...where], '; ')}`;
}
