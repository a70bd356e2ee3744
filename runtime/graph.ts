/** Every way a request can take through a snapshot: who asks, what for, and each target it may come to, fallbacks included. */
import { factsIn, firstChances } from './balanced-group.ts';
import type { Given } from './balancing/balancer.ts';
import type { Asked } from './example-request.ts';
import { Paths, type Path, type PathQuota } from './paths.ts';
import { balancerKinds } from './kinds.ts';
import type { ModelSnapshot, Snapshot, TargetNode } from './snapshot.ts';
import { countsAt, isSpentByModels, windowOf } from './quota-terms.ts';
import { usableModels } from './usable-models.ts';

export { factsIn, firstChances } from './balanced-group.ts';
export type { Given } from './balancing/balancer.ts';
export { requestTo, type Asked } from './example-request.ts';

export { Paths } from './paths.ts';
export type { Path, PathNode, PathQuota } from './paths.ts';

export interface DecisionGraph {
  readonly paths: Paths;
  /** The paths that requests take of which this much is known: `{ headers: { 'x-data': 'private' } }`. */
  readonly given: (asked: Asked) => Paths;
  /** The path at which the last `every` ended, of whichever paths, when it did not hold. */
  readonly counterexample: Path | undefined;
}

const saidOn = new WeakMap<Path, Asked>();

/** What is known of the requests that take a path: what its graph was given. */
export const givenOn = (path: Path): Asked | undefined => saidOn.get(path);

type Tail = Pick<Path, 'entry' | 'end' | 'chance' | 'policies' | 'downgradedTo'> & {
  readonly quotas: readonly string[];
};

const none: readonly never[] = [];

/** Requests of which this is known come with a token. */
const needsToken = ({ claims = {} }: Asked): boolean => Object.values(claims).some((value) => value !== '');

/** Whether it matters who asks. */
const asksWho = (node: TargetNode): boolean =>
  node.kind === 'group' &&
  (balancerKinds[node.balance]?.asksWho?.(node.options) === true || node.of.some((member) => asksWho(member.node)));

function tailsOfModel(name: string, model: ModelSnapshot, { snapshot, given }: Known): Tail[] {
  const { providers } = snapshot;
  const entry = { sort: 'model' as const, name, tags: model.tags ?? none };
  const { policies = none, quotas = none } = model;
  const { each } = firstChances(model.targets, factsIn(snapshot), given);
  return each.map(({ node: { provider, model: vendorModel }, chance }) => {
    const tags = providers[provider]?.tags ?? none;
    const end = { sort: 'provider' as const, name: provider, tags, model: vendorModel };
    return { entry, end, chance, policies, quotas };
  });
}

/** What a consumer sends to be kept goes to the vendor as it is. */
function tailOfFiles(name: string, { providers }: Snapshot): Tail {
  const tags = providers[name]?.tags ?? none;
  const end = { sort: 'provider' as const, name, tags, model: undefined };
  return { entry: { sort: 'files', name, tags: none }, end, chance: 1, policies: none, quotas: none };
}

interface Known {
  readonly snapshot: Snapshot;
  readonly given: Given;
}

type TailsOf = (given: Given) => readonly Tail[];

function tailsOf({ snapshot, given: asked }: Known): Record<'models' | 'routes', ReadonlyMap<string, TailsOf>> {
  const models = Object.entries(snapshot.models).map(([name, model]) => {
    if (asksWho(model.targets))
      return [name, (given: Given) => tailsOfModel(name, model, { snapshot, given })] as const;
    const tails = tailsOfModel(name, model, { snapshot, given: asked });
    return [name, () => tails] as const;
  });
  const routes = Object.entries(snapshot.routes).map(([name, { tags = none, upstream, quotas = none }]) => {
    const entry = { sort: 'route' as const, name, tags };
    const end = { sort: 'upstream' as const, name: upstream, tags: none, model: undefined };
    const tails = [{ entry, end, chance: 1, policies: none, quotas }];
    return [name, () => tails] as const;
  });
  return { models: new Map(models), routes: new Map(routes) };
}

const union = (one: readonly string[], other: readonly string[]): readonly string[] => [...new Set([...one, ...other])];

/** What the ends of cheaper models are for whoever asks for `name`, one after the other: each has quotas of its own. */
function* downgraded(
  { name, own, given }: { readonly name: string; readonly own: readonly string[]; readonly given: Given },
  snapshot: Snapshot,
  tails: ReadonlyMap<string, TailsOf>,
): Generator<Tail> {
  const { tags = none, policies = none, quotas = none } = snapshot.models[name] ?? {};
  const entry = { sort: 'model' as const, name, tags };
  let known: Pick<Tail, 'policies' | 'quotas'> = { policies, quotas };
  const open = union(own, quotas).map((quota) => ({ quota, known }));
  const passed = new Set([name]);
  for (const each of open) {
    const to = snapshot.quotas[each.quota]?.downgrade?.to;
    const cheaper = to === undefined ? undefined : snapshot.models[to];
    if (to === undefined || !cheaper || passed.has(to)) continue;
    passed.add(to);
    known = {
      policies: union(each.known.policies, cheaper.policies ?? none),
      quotas: union(each.known.quotas, cheaper.quotas ?? none),
    };
    for (const tail of tails.get(to)?.(given) ?? none) yield { ...tail, ...known, entry, chance: 0, downgradedTo: to };
    for (const quota of cheaper.quotas ?? none) open.push({ quota, known });
  }
}

function* walk({ snapshot, given }: Known, tails: ReturnType<typeof tailsOf>): Generator<Path> {
  const quotaOf = (name: string): PathQuota[] => {
    const quota = snapshot.quotas[name];
    if (!quota) return [];
    const { unit, limit, scope, mode } = quota;
    return [{ name, unit, limit: Number(limit), window: windowOf(quota), scope, mode }];
  };
  const quotasAt = (names: readonly string[], tail: Tail | undefined): PathQuota[] =>
    names.flatMap(quotaOf).filter((quota) => tail === undefined || countsAt(quota, tail.entry.sort));
  const isDowngrading = Object.values(snapshot.quotas).some(({ downgrade }) => downgrade !== undefined);
  for (const [name, { team, organisation, tags = none, jwt = none, ...may }] of Object.entries(snapshot.consumers)) {
    const { routes, files = none, quotas: own = none } = may;
    const models = usableModels(may, snapshot.models);
    const hasTokens = jwt.length > 0;
    if (!hasTokens && needsToken(given)) continue;
    const consumer = { name, tags, team, organisation };
    for (const provider of files) {
      const tail = tailOfFiles(provider, snapshot);
      // What a batch spends is known when its results are fetched, if ever: no count of tokens or money stops it.
      const quotas = quotasAt(own, tail).filter(({ unit }) => !isSpentByModels(unit));
      yield { ...tail, consumer, quotas };
    }
    for (const [table, allowed] of [
      [tails.models, models],
      [tails.routes, routes],
    ] as const) {
      for (const entry of allowed ?? table.keys()) {
        const asked = { ...given, consumer: name, consumerTags: tags, hasTokens };
        const found = table.get(entry)?.(asked) ?? none;
        const quotas = quotasAt(union(own, found[0]?.quotas ?? none), found[0]);
        for (const tail of found) yield { ...tail, consumer, quotas };
        if (!isDowngrading || table !== tails.models) continue;
        for (const tail of downgraded({ name: entry, own, given: asked }, snapshot, tails.models))
          yield { ...tail, consumer, quotas: quotasAt(union(own, tail.quotas), tail) };
      }
    }
  }
}

const nothing: Asked = {};

function* noting(given: Asked, paths: Iterable<Path>): Generator<Path> {
  for (const path of paths) {
    saidOn.set(path, given);
    yield path;
  }
}

export function decisionGraph(snapshot: Snapshot): DecisionGraph {
  const all: Paths[] = [];
  const pathsOf = (given: Asked): Paths => {
    const known = { snapshot, given };
    const tails = tailsOf(known);
    const paths = new Paths(() => (given === nothing ? walk(known, tails) : noting(given, walk(known, tails))));
    all.push(paths);
    return paths;
  };
  return {
    paths: pathsOf(nothing),
    given: pathsOf,
    get counterexample() {
      return all.findLast((paths) => paths.counterexample)?.counterexample;
    },
  };
}
