/** Every way a request can take through a snapshot: who asks, what for, and each target it may come to, fallbacks included. */
import { factsIn, firstChances } from './balanced-group.ts';
import type { Given } from './balancing/balancer.ts';
import { surfacePaths } from './pipeline/find-line.ts';
import { balancerKinds, providerKinds, type ModelSnapshot, type Snapshot, type TargetNode } from './snapshot.ts';
import { isSpentByModels, windowOf, type QuotaSnapshot, type QuotaWindowSnapshot } from './snapshot-quotas.ts';

export { factsIn, firstChances } from './balanced-group.ts';
export type { Given } from './balancing/balancer.ts';

/** Who asks, with the team and organisation it belongs to. */
export interface PathConsumer extends PathNode {
  readonly team: string | undefined;
  readonly organisation: string | undefined;
}

export interface PathNode {
  readonly name: string;
  readonly tags: readonly string[];
}

export interface PathQuota {
  readonly name: string;
  readonly unit: QuotaSnapshot['unit'];
  /** Units; of money, US dollars. */
  readonly limit: number;
  /** Undefined where there is none: what is in flight. */
  readonly window: QuotaWindowSnapshot | undefined;
  readonly scope: QuotaSnapshot['scope'];
  /** What is soft refuses nothing. */
  readonly mode: QuotaSnapshot['mode'];
}

export interface Path {
  readonly consumer: PathConsumer;
  /** What is asked for: `files` goes by the name of the provider that keeps them. */
  readonly entry: PathNode & { readonly sort: 'model' | 'route' | 'files' };
  /** Where it ends; `model` is the vendor's. */
  readonly end: PathNode & { readonly sort: 'provider' | 'upstream'; readonly model: string | undefined };
  /** How likely this end is tried first, with everything in rotation; 0 for what is only ever a fallback. */
  readonly chance: number;
  /** What it draws from: its consumer's quotas and those of what is asked for. */
  readonly quotas: readonly PathQuota[];
  /** Names of the policies that must let it pass. */
  readonly policies: readonly string[];
}

/** All paths, one at a time: of many consumers and models there are too many to hold. */
export class Paths implements Iterable<Path> {
  readonly #walk: () => Iterable<Path>;
  #counterexample: Path | undefined;

  constructor(walk: () => Iterable<Path>) {
    this.#walk = walk;
  }

  [Symbol.iterator](): Iterator<Path> {
    return this.#walk()[Symbol.iterator]();
  }

  /** The path at which the last `every` ended, when it did not hold. */
  get counterexample(): Path | undefined {
    return this.#counterexample;
  }

  every(holds: (path: Path) => boolean): boolean {
    this.#counterexample = this.find((path) => !holds(path));
    return this.#counterexample === undefined;
  }

  some(holds: (path: Path) => boolean): boolean {
    return this.find(holds) !== undefined;
  }

  find(wanted: (path: Path) => boolean): Path | undefined {
    for (const path of this.#walk()) if (wanted(path)) return path;
    return undefined;
  }

  filter(wanted: (path: Path) => boolean): readonly Path[] {
    const found: Path[] = [];
    for (const path of this.#walk()) if (wanted(path)) found.push(path);
    return found;
  }
}

/** What is known of a request beside who asks. */
export type Asked = Omit<Given, 'consumer' | 'consumerTags'>;

export interface DecisionGraph {
  readonly paths: Paths;
  /** The paths that requests take of which this much is known: `{ headers: { 'x-data': 'private' } }`. */
  readonly given: (asked: Asked) => Paths;
  /** The path at which the last `every` ended, of whichever paths, when it did not hold. */
  readonly counterexample: Path | undefined;
}

type Tail = Pick<Path, 'entry' | 'end' | 'chance' | 'policies'> & { readonly quotas: readonly string[] };

const none: readonly never[] = [];

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

function* walk({ snapshot, given }: Known, tails: ReturnType<typeof tailsOf>): Generator<Path> {
  const quotaOf = (name: string): PathQuota[] => {
    const quota = snapshot.quotas[name];
    if (!quota) return [];
    const { unit, limit, scope, mode } = quota;
    return [{ name, unit, limit: Number(limit), window: windowOf(quota), scope, mode }];
  };
  for (const [name, { team, organisation, tags = none, ...may }] of Object.entries(snapshot.consumers)) {
    const { models, routes, files = none, quotas: own = none } = may;
    const consumer = { name, tags, team, organisation };
    // What a batch spends is known when its results are fetched, if ever: no count of tokens or money stops it.
    const ofFiles = own.flatMap(quotaOf).filter(({ unit }) => !isSpentByModels(unit));
    for (const provider of files) yield { ...tailOfFiles(provider, snapshot), consumer, quotas: ofFiles };
    for (const [table, allowed] of [
      [tails.models, models],
      [tails.routes, routes],
    ] as const) {
      for (const entry of allowed ?? table.keys()) {
        const found = table.get(entry)?.({ ...given, consumer: name, consumerTags: tags }) ?? none;
        const quotas = [...new Set([...own, ...(found[0]?.quotas ?? none)])].flatMap(quotaOf);
        for (const tail of found) yield { ...tail, consumer, quotas };
      }
    }
  }
}

export function decisionGraph(snapshot: Snapshot): DecisionGraph {
  const all: Paths[] = [];
  const pathsOf = (given: Asked): Paths => {
    const known = { snapshot, given };
    const tails = tailsOf(known);
    const paths = new Paths(() => walk(known, tails));
    all.push(paths);
    return paths;
  };
  return {
    paths: pathsOf({}),
    given: pathsOf,
    get counterexample() {
      return all.findLast((paths) => paths.counterexample)?.counterexample;
    },
  };
}

/** Which of a provider's paths is meant nobody says. */
function firstOfHoldings(provider: unknown): object {
  const { kind: name = '', options: given } = (provider ?? {}) as {
    readonly kind?: string;
    readonly options?: unknown;
  };
  const kind = providerKinds[name];
  const options = kind?.options.safeParse(given);
  const requests = options?.success && kind?.connect(options.data, () => 'absent').holdings?.holdings.requests;
  const [{ method, path } = { method: 'GET', path: '/' }] = requests || [];
  return { method, path };
}

/** What of a snapshot a request is made from: the same before and after the schema. */
interface WithRoutes {
  readonly providers: Readonly<Record<string, unknown>>;
  readonly routes: Readonly<
    Record<
      string,
      { readonly path: string; readonly methods?: readonly string[] | undefined; readonly host?: string | undefined }
    >
  >;
}

/** A request that takes a path to `entry`, as `explain` reads it. */
export function requestTo(
  {
    consumer,
    sort,
    entry,
  }: { readonly consumer: string; readonly sort: Path['entry']['sort']; readonly entry: string },
  { routes, providers }: WithRoutes,
): object {
  if (sort === 'model') {
    const messages = [{ role: 'user', content: 'Hello' }];
    return { path: surfacePaths[0], consumer, body: { model: entry, messages } };
  }
  if (sort === 'files') return { ...firstOfHoldings(providers[entry]), consumer };
  const { path = '/', methods, host } = routes[entry] ?? {};
  return { method: methods?.[0] ?? 'GET', path: path.replace(/\*$/, '1'), ...(host && { host }), consumer };
}
