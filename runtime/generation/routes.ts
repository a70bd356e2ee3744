/** Matches API routes: exact paths first, then the longest prefix; the cost does not grow with the number of routes. */
import { plainPath } from '../door.ts';
import type { LiveRoute, RouteMatch } from './generation.ts';

export interface DeclaredRoute {
  /** Ends in `/*` for a prefix. */
  readonly path: string;
  readonly route: LiveRoute;
}

type Table = Map<string, LiveRoute[]>;

function add(table: Table, key: string, route: LiveRoute): void {
  const routes = table.get(key);
  if (routes) routes.push(route);
  else table.set(key, [route]);
}

/** Routes for one host are asked before those for any. */
const byHost = (a: LiveRoute, b: LiveRoute): number => Number(b.host !== undefined) - Number(a.host !== undefined);

function* candidates(exact: Table, prefixes: Table, path: string): Generator<readonly LiveRoute[]> {
  yield exact.get(path) ?? [];
  for (let end = path.length; end >= 0; end = path.lastIndexOf('/', end - 1)) {
    yield prefixes.get(path.slice(0, end)) ?? [];
    if (end === 0) return;
  }
}

export function routeMatcher(
  declared: readonly DeclaredRoute[],
): (method: string, host: string, path: string) => RouteMatch {
  const exact: Table = new Map();
  const prefixes: Table = new Map();
  for (const { path: spelled, route } of declared) {
    const path = plainPath(spelled);
    if (path.endsWith('/*')) add(prefixes, path.slice(0, -2), route);
    else add(exact, path, route);
  }
  for (const routes of [...exact.values(), ...prefixes.values()]) routes.sort(byHost);

  return (method, host, path) => {
    for (const routes of candidates(exact, prefixes, path)) {
      const here = routes.filter((route) => route.host === undefined || route.host === host);
      const route = here.find(({ methods }) => methods === undefined || methods.has(method));
      if (route) return { route };
      // The nearest path decides: a narrower route that refuses a method must not open the way to a wider one.
      if (here.length > 0) return { refused: [...new Set(here.flatMap(({ methods }) => [...(methods ?? [])]))].sort() };
    }
    return undefined;
  };
}
