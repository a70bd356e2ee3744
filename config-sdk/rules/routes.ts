/** API routes: each request has one route, and each route can be reached. */
import type { RouteSnapshot } from '@headgate/runtime/snapshot';
import { soundOf, writtenIn, type CompiledObject, type Problem, type Rule } from './rule.ts';

const allMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

interface Earlier {
  readonly object: CompiledObject;
  readonly methods: readonly string[];
}

export const shadowedRoutes: Rule = (project) => {
  const earlier = new Map<string, Earlier[]>();
  return soundOf(project, 'route').flatMap((object): Problem[] => {
    const { host = '', path, methods = allMethods } = object.value as RouteSnapshot;
    const key = `${host} ${path}`;
    const same = earlier.get(key) ?? [];
    earlier.set(key, [...same, { object, methods }]);
    const first = same.find((other) => other.methods.some((method) => methods.includes(method)));
    const place = first && project.placeOf(object, ['path']);
    if (!place || first.object.id === object.id) return [];
    const at = writtenIn(project, first.object).position;
    const where = at ? ` at ${at.file}:${at.line}:${at.column}` : '';
    const shared = methods.filter((method) => first.methods.includes(method));
    const which = shared.length === allMethods.length ? 'every method' : shared.join(', ');
    return [
      {
        code: 'route_shadowed',
        place,
        message: `route '${object.id}' takes ${which} on ${host}${path}, and so does route '${first.object.id}'${where}`,
      },
    ];
  });
};

export const unmatchedPaths: Rule = (project) =>
  soundOf(project, 'route').flatMap((object): Problem[] => {
    const { path, stripPrefix } = object.value as RouteSnapshot;
    const problems: Problem[] = [];
    const segments = path.slice(1).split('/');
    const odd = segments.find(
      (segment, index) => segment === '.' || segment === '..' || (segment === '' && index < segments.length - 1),
    );
    const at = odd === undefined ? undefined : project.placeOf(object, ['path']);
    if (at) {
      const what = odd === '' ? 'an empty segment' : `the segment '${odd}'`;
      problems.push({
        code: 'route_never_matches',
        place: at,
        message: `route '${object.id}': ${path} has ${what}, which no request has`,
      });
    }
    const fixed = path.replace(/\/\*$/, '');
    const mismatch =
      stripPrefix &&
      !(fixed === stripPrefix || `${fixed}/`.startsWith(stripPrefix.endsWith('/') ? stripPrefix : `${stripPrefix}/`));
    const strip = mismatch ? project.placeOf(object, ['stripPrefix']) : undefined;
    if (strip) {
      problems.push({
        code: 'strip_prefix_mismatch',
        place: strip,
        message: `route '${object.id}': ${path} does not begin with ${stripPrefix}`,
      });
    }
    return problems;
  });
