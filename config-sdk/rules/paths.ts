/** Paths of routes: what the matcher does with them that their author may not expect. */
import type { RouteSnapshot, UpstreamSnapshot } from '@headgate/runtime/snapshot';
import { allSound, byName, problemAt, served, type Problem, type Rule, type Served } from './rule.ts';

type Route = Served<RouteSnapshot>;

const routesOf = (project: Parameters<Rule>[0]): readonly Route[] => served<RouteSnapshot>(project, 'route');
const hostOf = ({ value }: Route): string => value.host ?? '';
const prefixOf = (path: string): string | undefined => (path.endsWith('/*') ? path.slice(0, -2) : undefined);

/** The prefixes that a path lies below, nearest first, itself included. */
function prefixesOf(path: string): string[] {
  const start = prefixOf(path) ?? path;
  const prefixes: string[] = [start];
  for (let end = start.lastIndexOf('/'); end >= 0; end = end === 0 ? -1 : start.lastIndexOf('/', end - 1))
    prefixes.push(start.slice(0, end));
  return prefixes;
}

/** The nearest route that takes everything below a prefix of this one's path. */
function nearestAbove(route: Route, wide: ReadonlyMap<string, Route>): Route | undefined {
  for (const prefix of prefixesOf(route.value.path)) {
    const above = wide.get(`${hostOf(route)} ${prefix}`);
    if (above && above.value.path !== route.value.path) return above;
  }
  return undefined;
}

export const hiddenMethods: Rule = (project) => {
  const routes = routesOf(project);
  const wide = new Map(
    routes.flatMap((route): [string, Route][] => {
      const prefix = prefixOf(route.value.path);
      return prefix === undefined ? [] : [[`${hostOf(route)} ${prefix}`, route]];
    }),
  );
  // Another route for the same path may take the other methods.
  const together = new Map<string, Set<string>>();
  for (const route of routes) {
    const key = `${hostOf(route)} ${route.value.path}`;
    const methods = together.get(key) ?? new Set();
    for (const method of route.value.methods ?? ['*']) methods.add(method);
    together.set(key, methods);
  }
  return routes.flatMap((route): Problem[] => {
    const taken = together.get(`${hostOf(route)} ${route.value.path}`);
    if (!route.value.methods || !taken || taken.has('*')) return [];
    const wider = nearestAbove(route, wide);
    if (!wider || wider.value.upstream !== route.value.upstream) return [];
    const lost = wider.value.methods?.filter((method) => !taken.has(method));
    if (lost?.length === 0) return [];
    const which = lost?.join(', ') ?? 'other methods';
    const message = `route '${route.object.id}' answers 405 to ${which} on ${route.value.path}, which route '${wider.object.id}' would take`;
    return problemAt(project, { object: route.object, path: ['methods'] }, { code: 'route_hides_methods', message });
  });
};

export const trailingSlashes: Rule = (project) => {
  if (!allSound(project, 'route')) return [];
  const routes = routesOf(project);
  const taken = new Set(routes.map((route) => `${hostOf(route)} ${prefixOf(route.value.path) ?? route.value.path}`));
  return routes.flatMap((route): Problem[] => {
    const { path } = route.value;
    if (!path.endsWith('/') || path === '/') return [];
    const bare = path.slice(0, -1);
    if (prefixesOf(bare).some((prefix) => taken.has(`${hostOf(route)} ${prefix}`))) return [];
    const message = `route '${route.object.id}' takes ${path}, and no route takes ${bare}`;
    return problemAt(project, { object: route.object, path: ['path'] }, { code: 'route_trailing_slash', message });
  });
};

export const caseTwins: Rule = (project) => {
  const first = new Map<string, Route>();
  return routesOf(project).flatMap((route): Problem[] => {
    const key = `${hostOf(route)} ${route.value.path.toLowerCase()}`;
    const other = first.get(key);
    if (!other) first.set(key, route);
    if (!other || other.value.path === route.value.path) return [];
    const message = `route '${route.object.id}' takes ${route.value.path}, route '${other.object.id}' takes ${other.value.path}`;
    return problemAt(project, { object: route.object, path: ['path'] }, { code: 'route_case_twin', message });
  });
};

const retried = ['GET', 'HEAD', 'OPTIONS'];

export const unusedRetries: Rule = (project) =>
  routesOf(project).flatMap(({ object, value: { retries, methods } }): Problem[] => {
    // Values are as they were written: without a number of its own, nobody was misled.
    if (!retries || !methods || methods.some((method) => retried.includes(method))) return [];
    const message = `route '${object.id}' takes ${methods.join(', ')} only, which is never tried again`;
    return problemAt(project, { object, path: ['retries'] }, { code: 'retries_unused', message });
  });

export const doubledPaths: Rule = (project) => {
  const upstreams = byName(project, 'upstream');
  return routesOf(project).flatMap(({ object, value: { path, stripPrefix, upstream } }): Problem[] => {
    const url = (upstreams.get(upstream)?.value as UpstreamSnapshot | undefined)?.url;
    const prefix = prefixOf(path) ?? path;
    if (stripPrefix !== undefined || !url || prefix.length < 2) return [];
    const base = new URL(url).pathname.replace(/\/+$/, '');
    if (base !== prefix && !base.endsWith(prefix)) return [];
    const message = `route '${object.id}': upstream '${upstream}' would be asked for ${base}${path}`;
    return problemAt(project, { object, path: ['upstream'] }, { code: 'path_doubled', message });
  });
};
