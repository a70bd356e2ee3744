/** Conditions of targets: each can hold, and what meets none of them is served all the same. */
import { firstChances } from '@headgate/runtime/graph';
import type { ModelSnapshot, TargetNode } from '@headgate/runtime/snapshot';
import { isObject, type Path } from '../compile/places.ts';
import { byName, problemAt, served, type Problem, type Rule } from './rule.ts';
import { once } from './targets.ts';

interface Named {
  readonly name: string;
  readonly path: Path;
}

/** Names of consumers in conditions. */
function consumersIn(node: TargetNode, path: Path): Named[] {
  if (node.kind === 'target') return [];
  const listed = isObject(node.options) ? node.options['consumers'] : undefined;
  const own = (Array.isArray(listed) ? listed : []).map((name, index) => ({
    name: String(name),
    path: [...path, 'options', 'consumers', index],
  }));
  return [...own, ...node.of.flatMap((member, index) => consumersIn(member.node, [...path, 'of', index, 'node']))];
}

export const unknownConsumers: Rule = (project) => {
  const known = byName(project, 'consumer');
  return once(
    served<ModelSnapshot>(project, 'model').flatMap(({ object, value }) =>
      consumersIn(value.targets, ['targets']).flatMap(({ name, path }): Problem[] => {
        if (known.has(name)) return [];
        const message = `a condition of model '${object.id}' names consumer '${name}', which is not declared`;
        return problemAt(project, { object, path }, { code: 'condition_unknown_consumer', message });
      }),
    ),
  );
};

export const unservedRequests: Rule = (project) =>
  served<ModelSnapshot>(project, 'model').flatMap(({ object, value }): Problem[] => {
    if (firstChances(value.targets, () => undefined).nobody === 0) return [];
    const message = `model '${object.id}' has no target for requests that meet none of its conditions`;
    return problemAt(project, { object, path: ['targets'] }, { code: 'targets_all_conditional', message });
  });
