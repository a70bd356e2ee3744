/** Every text inside a value, and the rule that none of them names the machine it was written on. */
import { isObject, type Path } from '../compile/places.ts';
import type { Json, LoadedDeclaration } from '../load/document.ts';
import type { Rule } from './rule.ts';

/**
 * Asked about each text: `name` is the nearest property name, and `trail` the path while the question lasts. A big
 * configuration has a hundred thousand texts, so nothing is made of those that get no answer.
 */
type Asked<Answer> = (text: string, name: string, trail: Path) => Answer | undefined;

export interface Found<Answer> {
  readonly path: Path;
  readonly answer: Answer;
}

/** What `asked` answers about the texts inside a value, where it does. */
export function askTexts<Answer>(value: Json, asked: Asked<Answer>): readonly Found<Answer>[] {
  const trail: (string | number)[] = [];
  const found: Found<Answer>[] = [];
  const walk = (member: Json, name: string): void => {
    if (typeof member === 'string') {
      const answer = asked(member, name, trail);
      if (answer !== undefined) found.push({ path: [...trail], answer });
    } else if (Array.isArray(member)) {
      for (const [index, inner] of (member as readonly Json[]).entries()) within(index, inner, name);
    } else if (isObject(member)) {
      for (const key of Object.keys(member)) within(key, member[key] as Json, key);
    }
  };
  const within = (key: string | number, inner: Json, name: string): void => {
    trail.push(key);
    walk(inner, name);
    trail.pop();
  };
  walk(value, '');
  return found;
}

/** Without a path below the directory that is named. */
const portable = new WeakMap<LoadedDeclaration, string>();

export const machinePaths: Rule = ({ declarations, directory }) =>
  declarations.flatMap((each, declaration) => {
    if (portable.get(each) === directory) return [];
    const found = askTexts(each.spec, (text) => text.includes(directory) || undefined);
    if (found.length === 0) portable.set(each, directory);
    return found.map(({ path }) => ({
      code: 'machine_path',
      place: { declaration, path },
      message: `${each.sort.replace('-', ' ')} '${each.id}' holds a path of this machine`,
    }));
  });
