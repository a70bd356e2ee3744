/** Matches API routes: exact paths first, then the longest prefix; the cost does not grow with the number of routes. */
import { plainPath } from '../door.ts';
import type { RouteMatch } from './generation.ts';
import type { LiveRoute } from './live.ts';

export interface DeclaredRoute {
  /** Ends in `/*` for a prefix. */
  readonly path: string;
  readonly route: LiveRoute;
}

/** The positions of several routes at one path. */
interface Shared {
  readonly byHost: Map<string, number[]>;
  readonly forAny: number[];
}

/** Mostly a single route for any host, by its position alone: ten thousand small objects would be ten thousand too many. */
type Table = Map<string, number | Shared>;

/** Holds where routes are, not the routes: those are loaded when a request comes for them. Filled one by one. */
export class RouteTable<Route extends Pick<LiveRoute, 'methods'> = LiveRoute> {
  readonly #exact: Table = new Map();
  readonly #prefixes: Table = new Map();
  readonly #load: (position: number) => Route;

  constructor(load: (position: number) => Route) {
    this.#load = load;
  }

  add(spelled: string, host: string | undefined, position: number): void {
    const path = plainPath(spelled);
    const isPrefix = path.endsWith('/*');
    const [table, key] = isPrefix ? [this.#prefixes, path.slice(0, -2)] : [this.#exact, path];
    const place = table.get(key);
    if (place === undefined && host === undefined) {
      table.set(key, position);
      return;
    }
    const shared: Shared =
      typeof place === 'object' ? place : { byHost: new Map(), forAny: place === undefined ? [] : [place] };
    table.set(key, shared);
    if (host === undefined) shared.forAny.push(position);
    else if (!shared.byHost.get(host)?.push(position)) shared.byHost.set(host, [position]);
  }

  match(method: string, host: string, path: string): RouteMatch<Route> {
    for (const here of this.#near(host, path)) {
      const routes = here.map(this.#load);
      const route = routes.find(({ methods }) => methods === undefined || methods.has(method));
      if (route) return { route };
      // The nearest path decides: a narrower route that refuses a method must not open the way to a wider one.
      return { refused: [...new Set(routes.flatMap(({ methods }) => [...(methods ?? [])]))].sort() };
    }
    return undefined;
  }

  /** The routes at each path that covers `path`, nearest first; those for the host before those for any. */
  *#near(host: string, path: string): Generator<readonly number[]> {
    function* at(place: number | Shared | undefined): Generator<readonly number[], void> {
      if (typeof place === 'number') yield [place];
      if (typeof place !== 'object') return;
      const here = [...(place.byHost.get(host) ?? []), ...place.forAny];
      if (here.length > 0) yield here;
    }
    yield* at(this.#exact.get(path));
    for (let end = path.length; end >= 0; end = path.lastIndexOf('/', end - 1)) {
      yield* at(this.#prefixes.get(path.slice(0, end)));
      if (end === 0) return;
    }
  }
}

export function routeMatcher(
  declared: readonly DeclaredRoute[],
): (method: string, host: string, path: string) => RouteMatch {
  const loaded = (position: number): LiveRoute => {
    const route = declared[position]?.route;
    if (!route) throw new TypeError(`no route ${position}`);
    return route;
  };
  const table = new RouteTable(loaded);
  for (const [position, { path, route }] of declared.entries()) table.add(path, route.host, position);
  return (method, host, path) => table.match(method, host, path);
}

/** What is left of a client's path for the upstream. */
export function pathAtUpstream({ stripPrefix }: LiveRoute, path: string): string {
  const stripped = path === stripPrefix || path.startsWith(`${stripPrefix}/`) ? path.slice(stripPrefix.length) : path;
  return stripped || '/';
}
