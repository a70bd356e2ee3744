/** Which line a request walks: a model call, the list of models, or a route of the configuration. */
import type { Asked } from '../door.ts';
import { HeadgateError } from '../errors.ts';
import type { LiveRoute, Tables } from '../generation/generation.ts';
import * as surfaces from '../surfaces/index.ts';
import type { Surface } from '../surfaces/surface.ts';

const all: readonly Surface[] = Object.values(surfaces);
const names = new Map<Surface, string>(Object.entries(surfaces).map(([name, surface]) => [surface, name]));
const callPaths = new Map(all.flatMap((surface) => surface.callPaths.map((path) => [path, surface] as const)));

/** Paths that belong to model APIs: their errors are worded as those APIs word them. */
export const isModelPath = (path: string): boolean =>
  path.startsWith('/v1/') || path === '/v1' || path.startsWith('/v1beta/');

/** Words the errors of paths that belong to no surface. */
export const firstSurface: Surface | undefined = all[0];

/** Paths that are there whatever the configuration says. */
export const surfacePaths: readonly string[] = all.flatMap((surface) => [...surface.callPaths, surface.modelsPath]);

export const surfaceName = (surface: Surface): string => names.get(surface) ?? '';

export type Line =
  | { readonly line: 'call'; readonly surface: Surface }
  /** `name`: of the one model that is asked for. */
  | { readonly line: 'models'; readonly surface: Surface; readonly name: string | undefined }
  | { readonly line: 'route'; readonly route: LiveRoute }
  /** `allow`: the methods that are taken there, by what `matched` names. */
  | {
      readonly line: 'none';
      readonly surface: Surface | undefined;
      readonly error: HeadgateError;
      readonly allow: readonly string[];
      readonly matched: 'models' | 'none';
    };

function surfaceOfModels(path: string): { surface: Surface; name: string | undefined } | undefined {
  for (const surface of all) {
    if (path === surface.modelsPath) return { surface, name: undefined };
    if (path.startsWith(`${surface.modelsPath}/`))
      return { surface, name: decodeURIComponent(path.slice(surface.modelsPath.length + 1)) };
  }
  return undefined;
}

function notAllowed(
  path: string,
  allow: readonly string[],
  surface?: Surface,
  matched: 'models' | 'none' = 'none',
): Line {
  const error = new HeadgateError('method_not_allowed', `${path} takes ${allow.join(', ')}.`);
  return { line: 'none', surface, error, allow, matched };
}

export function findLine(method: string, { host, path }: Asked, tables: Tables): Line {
  const called = callPaths.get(path);
  if (called) return method === 'POST' ? { line: 'call', surface: called } : notAllowed(path, ['POST'], called);
  const models = surfaceOfModels(path);
  if (models)
    return method === 'GET' ? { line: 'models', ...models } : notAllowed(path, ['GET'], models.surface, 'models');
  const match = isModelPath(path) ? undefined : tables.matchRoute(method, host, path);
  if (match && 'route' in match) return { line: 'route', route: match.route };
  if (match) return notAllowed(path, match.refused);
  const error = new HeadgateError('route_not_found', `Nothing is served at ${method} ${path}.`);
  return { line: 'none', surface: undefined, error, allow: [], matched: 'none' };
}
