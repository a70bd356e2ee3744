/** What a rule sees and what it says: pure functions over everything that was declared. */
import type { ModelSnapshot } from '@headgate/runtime/snapshot';
import type { FilePosition, FindingCode } from '../findings.ts';
import type { CollectionSort, Place } from '../compile/places.ts';
import type { LoadedDeclaration } from '../load/document.ts';
import type { Sort } from '../site.ts';
import { note, noted } from './looked-at.ts';

export interface Problem {
  readonly code: FindingCode;
  /** A file, where the problem is about it as a whole. */
  readonly place: Place | FilePosition;
  readonly message: string;
  readonly hint?: string;
  /** The reason for which the configuration accepts it. */
  readonly accepted?: string;
}

/** One declared object in its compiled form. */
export interface CompiledObject {
  /** Index of its declaration. */
  readonly index: number;
  readonly sort: CollectionSort;
  readonly id: string;
  readonly value: unknown;
  /** The schema had nothing to object to: rules that need its shape look at such objects only. */
  readonly sound: boolean;
}

export interface Project {
  /** Real path of the repository's directory. */
  readonly directory: string;
  readonly declarations: readonly LoadedDeclaration[];
  /** By order of declaration. */
  readonly objects: readonly CompiledObject[];
  /** What defineGateway lists; undefined when the configuration did not get that far. */
  readonly listed: ReadonlySet<number> | undefined;
  /** Everything that is published; undefined as above. */
  readonly published: ReadonlySet<number> | undefined;
  /** Sorts of which something was meant where something else stands. */
  readonly missed: ReadonlySet<Sort>;
  /** Place of the defineGateway call. */
  readonly gateway: Place | undefined;
  /** Place of a value inside a compiled object; undefined when it came from something that was refused. */
  readonly placeOf: (object: CompiledObject, path: readonly (string | number)[]) => Place | undefined;
  /** Files of the repository that nothing imports, where that is a mistake. */
  readonly unusedFiles: readonly string[];
}

export type Rule = (project: Project) => readonly Problem[];

export interface Served<Value> {
  readonly object: CompiledObject;
  readonly value: Value;
}

/** Asks once what several rules want to know of a project: each of them has looked at what that took. */
export function oncePerProject<Answer>(ask: (project: Project) => Answer): (project: Project) => Answer {
  const answers = new WeakMap<Project, ReturnType<typeof noted<Answer>>>();
  return (project) => {
    const known = answers.get(project) ?? noted(() => ask(project));
    answers.set(project, known);
    for (const each of known.lookedAt) note(each);
    return known.answer;
  };
}

/** The same for objects by their sort: whoever asks has looked at that sort. */
function bySort<Answer>(
  ask: (objects: readonly CompiledObject[], project: Project) => Answer,
): (project: Project, sort: CollectionSort) => Answer {
  const answers = new WeakMap<Project, Map<CollectionSort, Answer>>();
  return (project, sort) => {
    note(sort);
    const known = answers.get(project) ?? new Map<CollectionSort, Answer>();
    answers.set(project, known);
    const answer = known.get(sort) ?? noted(() => ask(grouped(project).get(sort) ?? [], project)).answer;
    known.set(sort, answer);
    return answer;
  };
}

const groups = new WeakMap<Project, ReadonlyMap<CollectionSort, readonly CompiledObject[]>>();

function grouped(project: Project): ReadonlyMap<CollectionSort, readonly CompiledObject[]> {
  const known = groups.get(project) ?? Map.groupBy(project.objects, ({ sort }) => sort);
  groups.set(project, known);
  return known;
}

/** All of one sort, by order of declaration. */
export const ofSort = bySort((objects) => objects);

/** Those of one sort that the schema takes. */
export const soundOf = bySort((objects) => objects.filter(({ sound }) => sound));

const servedOf = bySort((objects, { published }): readonly Served<unknown>[] =>
  objects.flatMap((object) => (object.sound && published?.has(object.index) ? [{ object, value: object.value }] : [])),
);

const areAllSound = bySort((objects, { published }) =>
  objects.every(({ sound, index }) => sound || !published?.has(index)),
);

/**
 * What of one sort is published and has nothing wrong with its shape. Advice is for these only: an object that nothing
 * uses, or that the schema refuses, has its finding already.
 */
export function served<Value>(project: Project, sort: CollectionSort): readonly Served<Value>[] {
  return servedOf(project, sort) as readonly Served<Value>[];
}

/** Models that are served, by name. */
export const servedModels = oncePerProject((project): Readonly<Record<string, ModelSnapshot>> =>
  Object.fromEntries(served<ModelSnapshot>(project, 'model').map(({ object, value }) => [object.id, value])),
);

/** Nothing published of these sorts was refused: only then is it known what refers to what, and what is missing. */
export const allSound = (project: Project, ...sorts: readonly CollectionSort[]): boolean =>
  sorts.every((sort) => areAllSound(project, sort));

/** One problem at a value of an object; none when the value came from something that was refused. */
export function problemAt(
  { placeOf }: Pick<Project, 'placeOf'>,
  { object, path }: { readonly object: CompiledObject; readonly path: readonly (string | number)[] },
  said: Omit<Problem, 'place'>,
): Problem[] {
  const place = placeOf(object, path);
  return place ? [{ ...said, place }] : [];
}

/** The `objects` of one sort by name; the first of two equal names wins. */
export const byName = bySort(
  (objects): ReadonlyMap<string, CompiledObject> =>
    new Map(
      objects
        .filter(({ sound }) => sound)
        .map((each): [string, CompiledObject] => [each.id, each])
        .reverse(),
    ),
);

/** What an object was declared as, and the names of what it refers to. They follow from it, and change with it alone. */
export function writtenIn(project: Project, { index }: Pick<CompiledObject, 'index'>) {
  const { answer: declarations } = noted(() => project.declarations);
  const { spec, position } = declarations[index] ?? {};
  return { spec, position, nameOf: (handle: number) => declarations[handle]?.id };
}

/** A rule that judges each declaration by itself: one that it had nothing to say about is not judged again. */
export function eachDeclared(judge: (declaration: LoadedDeclaration, index: number) => readonly Problem[]): Rule {
  const fine = new WeakSet<LoadedDeclaration>();
  return ({ declarations }) =>
    declarations.flatMap((declaration, index) => {
      if (fine.has(declaration)) return [];
      const problems = judge(declaration, index);
      if (problems.length === 0) fine.add(declaration);
      return problems;
    });
}

export interface Beside extends Pick<Project, 'placeOf'> {
  /** The object of that name, as in `byName`. */
  readonly named: (sort: CollectionSort, name: string) => CompiledObject | undefined;
}

/** An object that was asked for by its name, and what was found. */
interface Look {
  readonly sort: CollectionSort;
  readonly name: string;
  readonly found: unknown;
}

/**
 * The same for what is served of one sort: it is not judged again while those are as they were that it was looked up with.
 * `judge` sees nothing else.
 */
export function eachServed<Value extends object>(
  sort: CollectionSort,
  judge: (each: Served<Value>, beside: Beside) => readonly Problem[],
): Rule {
  const fine = new WeakMap<object, readonly Look[]>();
  return (project) => {
    const { placeOf } = project;
    const find = (among: CollectionSort, name: string) => byName(project, among).get(name);
    return served<Value>(project, sort).flatMap((each) => {
      const stands = fine.get(each.value)?.every((look) => find(look.sort, look.name)?.value === look.found) === true;
      if (stands) return [];
      const looks: Look[] = [];
      const named: Beside['named'] = (among, name) => {
        const object = find(among, name);
        looks.push({ sort: among, name, found: object?.value });
        return object;
      };
      const problems = judge(each, { placeOf, named });
      if (problems.length === 0) fine.set(each.value, looks);
      return problems;
    });
  };
}
