/** Which route answers a request, asked of the matcher that serves, and which requests tell that another one does now. */
import { plainPath, RouteTable } from '@headgate/runtime/decide';
import type { RouteSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { listed, say, type Phrase } from './change.ts';
import type { Sides } from './revision.ts';

export const everyMethod = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** The name of a route, or the status that says why there is none. */
export type Answer = { readonly route: string } | { readonly status: 404 | 405 };

export const routeIn = (answer: Answer): string | undefined => ('route' in answer ? answer.route : undefined);

/** Requests that one side answers otherwise than the other, written as a route would be. */
export interface Shift {
  readonly path: string;
  readonly host: string | undefined;
  readonly methods: readonly string[];
  readonly from: Answer;
  readonly to: Answer;
}

export function requestsInWords({ path, host, methods }: Shift): Phrase {
  const asked = say`requests for ${`${host ?? ''}${path}`}`;
  return methods.length === everyMethod.length ? asked : say`${listed(methods)} ${asked}`;
}

/** What becomes of requests that no route answers any more. */
export const unanswered = (shifts: readonly Shift[]): Phrase[] =>
  shifts.flatMap((shift): Phrase[] =>
    'status' in shift.to ? [say`${requestsInWords(shift)} get ${shift.to.status}`] : [],
  );

type Answering = (method: string, host: string, path: string) => Answer;

function answering({ routes }: Snapshot): Answering {
  const declared = Object.entries(routes).map(([name, { path, host, methods }]) => ({
    name,
    path,
    host,
    methods: methods && new Set<string>(methods),
  }));
  const table = new RouteTable((position) => {
    const route = declared[position];
    if (!route) throw new TypeError(`no route ${position}`);
    return route;
  });
  for (const [position, { path, host }] of declared.entries()) table.add(path, host, position);
  return (method, host, path) => {
    const match = table.match(method, host, path);
    if (match === undefined) return { status: 404 };
    return 'route' in match ? { route: match.route.name } : { status: 405 };
  };
}

/** A path without its `/*`, spelled as the matcher does. */
const stem = (path: string): string => plainPath(path).replace(/\/\*$/, '');

/** The hosts that routes at a path or above it name: for those, another route may answer than for any other host. */
function hostsNear(routes: readonly RouteSnapshot[]): (path: string) => ReadonlySet<string> {
  const known = new Map<string, string[]>();
  for (const { path, host } of routes)
    if (host !== undefined) known.set(stem(path), [...(known.get(stem(path)) ?? []), host]);
  return (path) => {
    const found = new Set<string>();
    const whole = stem(path);
    for (let end = whole.length; end >= 0; end = end === 0 ? -1 : whole.lastIndexOf('/', end - 1))
      for (const host of known.get(whole.slice(0, end)) ?? []) found.add(host);
    return found;
  };
}

/** A word that no path has, to stand for whatever a `*` takes. */
function unusedWord(routes: readonly RouteSnapshot[]): string {
  let word = 'any';
  while (routes.some(({ path }) => path.includes(`/${word}`))) word += '-';
  return word;
}

const inWords = (answer: Answer): string => ('route' in answer ? `route ${answer.route}` : String(answer.status));

/** Prepared once: what becomes of the requests that a route is written for. */
export function shiftsAt({ base, head }: Sides): (route: RouteSnapshot) => Shift[] {
  const [before, after] = [answering(base), answering(head)];
  const routes = [...Object.values(base.routes), ...Object.values(head.routes)];
  const near = hostsNear(routes);
  const word = unusedWord(routes);
  return ({ path, host }) => {
    const asked = path.endsWith('/*') ? `${stem(path)}/${word}` : stem(path);
    const found = new Map<string, Shift & { readonly methods: string[] }>();
    const anyHost = new Map<string, string>();
    for (const each of host === undefined ? [undefined, ...near(path)] : [host])
      for (const method of everyMethod) {
        const [from, to] = [before(method, each ?? '', asked), after(method, each ?? '', asked)];
        const pair = `${inWords(from)} → ${inWords(to)}`;
        if (each === undefined) anyHost.set(method, pair);
        else if (anyHost.get(method) === pair) continue;
        const group = `${each ?? ''} ${pair}`;
        const known = found.get(group);
        if (known) known.methods.push(method);
        else if (inWords(from) !== inWords(to)) found.set(group, { path, host: each, methods: [method], from, to });
      }
    return [...found.values()];
  };
}
