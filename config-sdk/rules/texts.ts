/** Every text inside a value, and the rule that none of them names the machine it was written on. */
import { isObject, type Path } from '../compile/places.ts';
import type { Json } from '../load/document.ts';
import type { Rule } from './rule.ts';

export interface Text {
  readonly text: string;
  readonly path: Path;
  /** The nearest property name. */
  readonly name: string;
}

export function* textsIn(value: Json, path: Path = [], name = ''): Generator<Text> {
  if (typeof value === 'string') yield { text: value, path, name };
  else if (Array.isArray(value))
    for (const [index, member] of (value as readonly Json[]).entries()) yield* textsIn(member, [...path, index], name);
  else if (isObject(value))
    for (const [key, member] of Object.entries(value)) yield* textsIn(member, [...path, key], key);
}

export const machinePaths: Rule = ({ declarations, directory }) =>
  declarations.flatMap(({ sort, id, spec }, declaration) =>
    [...textsIn(spec)]
      .filter(({ text }) => text.includes(directory))
      .map(({ path }) => ({
        code: 'machine_path',
        place: { declaration, path },
        message: `${sort.replace('-', ' ')} '${id}' holds a path of this machine`,
      })),
  );
