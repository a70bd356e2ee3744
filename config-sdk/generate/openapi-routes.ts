/** The REST routes of a gateway as OpenAPI paths: templates for prefixes, one operation for each method. */
import type { RouteSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { codesFor, failures } from './openapi-failures.ts';
import { sortedEntries } from './requests.ts';

const allMethods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const;
const problem = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const header = (name: string) => ({ $ref: `#/components/headers/${name}` });

interface Place {
  readonly path: string;
  /** Stands for everything below the path. */
  readonly isTemplate: boolean;
  readonly route: RouteSnapshot;
  readonly name: string;
}

function placesOf(name: string, route: RouteSnapshot): Place[] {
  if (!route.path.endsWith('/*')) return [{ path: route.path, isTemplate: false, route, name }];
  const prefix = route.path.slice(0, -2);
  return [
    { path: prefix === '' ? '/' : prefix, isTemplate: false, route, name },
    { path: `${prefix}/{path}`, isTemplate: true, route, name },
  ];
}

function operation(snapshot: Snapshot, { name, route, isTemplate }: Place, method: string): object {
  const consumers = Object.values(snapshot.consumers);
  const hasQuotas = [route, ...consumers].some(({ quotas = [] }) => quotas.length > 0);
  const possible = codesFor({
    isModelCall: false,
    isNarrowedByPrompts: false,
    hasQuotas,
    hasPolicies: false,
    isStrict: false,
    needsValues: false,
    isNarrowed: consumers.some(({ routes }) => routes !== undefined && !routes.includes(name)),
  });
  const takesBody = !['GET', 'HEAD', 'OPTIONS'].includes(method);
  return {
    operationId: `${name}_${method.toLowerCase()}${isTemplate ? '_below' : ''}`,
    tags: ['routes'],
    summary: `Route ${name}`,
    ...(isTemplate && {
      description: '`path` stands for one segment or more: OpenAPI has no form for the rest of a path.',
      parameters: [{ name: 'path', in: 'path', required: true, schema: { type: 'string' } }],
    }),
    ...(route.host !== undefined && { servers: [{ url: `//${route.host}` }] }),
    ...(takesBody && { requestBody: { content: { '*/*': {} } } }),
    responses: {
      ...failures(possible, problem),
      default: {
        description: `What upstream ${route.upstream} answers.`,
        headers: Object.fromEntries(
          [
            'x-request-id',
            'headgate-revision',
            'headgate-target',
            'headgate-attempts',
            ...(hasQuotas ? ['ratelimit', 'ratelimit-policy'] : []),
          ].map((each) => [each, header(each)]),
        ),
      },
    },
  };
}

/** Exact paths go before prefixes, and routes for one host before those for any: the first that takes a method describes it. */
export function routePaths(snapshot: Snapshot): Record<string, Record<string, object>> {
  const places = sortedEntries(snapshot.routes)
    .flatMap(([name, route]) => placesOf(name, route))
    .map((place) => ({ ...place, isExact: !place.route.path.endsWith('/*') }))
    .sort(
      (a, b) =>
        Number(b.isExact) - Number(a.isExact) ||
        Number(a.route.host === undefined) - Number(b.route.host === undefined),
    );
  const paths: Record<string, Record<string, object>> = {};
  const closed = new Set<string>();
  for (const place of places) {
    // An exact route answers for its path alone, also for methods that it refuses.
    if (!place.isExact && closed.has(place.path)) continue;
    if (place.isExact && place.route.host === undefined) closed.add(place.path);
    const item = (paths[place.path] ??= {});
    for (const method of place.route.methods ?? allMethods)
      item[method.toLowerCase()] ??= operation(snapshot, place, method);
  }
  return paths;
}
