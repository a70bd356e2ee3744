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

function collect(value: Json, trail: (string | number)[], found: Text[]): void {
  if (typeof value === 'string') {
    const name = trail.findLast((step) => typeof step === 'string');
    found.push({ text: value, path: [...trail], name: typeof name === 'string' ? name : '' });
  } else if (Array.isArray(value) || isObject(value)) {
    const isList = Array.isArray(value);
    for (const [key, member] of Object.entries(value as Readonly<Record<string, Json>>)) {
      trail.push(isList ? Number(key) : key);
      collect(member, trail, found);
      trail.pop();
    }
  }
}

/** Several rules read the texts of every object, and a big configuration has a hundred thousand. */
const known = new WeakMap<object, readonly Text[]>();

export function textsIn(value: Json): readonly Text[] {
  const key = typeof value === 'object' && value !== null ? value : undefined;
  const before = key && known.get(key);
  if (before) return before;
  const found: Text[] = [];
  collect(value, [], found);
  if (key) known.set(key, found);
  return found;
}

export const machinePaths: Rule = ({ declarations, directory }) =>
  declarations.flatMap(({ sort, id, spec }, declaration) =>
    textsIn(spec)
      .filter(({ text }) => text.includes(directory))
      .map(({ path }) => ({
        code: 'machine_path',
        place: { declaration, path },
        message: `${sort.replace('-', ' ')} '${id}' holds a path of this machine`,
      })),
  );
