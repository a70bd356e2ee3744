/** What a rule sees and what it says: pure functions over everything that was declared. */
import type { ModelSnapshot } from '@headgate/runtime/snapshot';
import type { FilePosition, FindingCode } from '../findings.ts';
import type { CollectionSort, Place } from '../compile/places.ts';
import type { LoadedDeclaration } from '../load/document.ts';
import type { Sort } from '../site.ts';

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

/** Asks once what several rules want to know of a project. */
export function oncePerProject<Answer>(ask: (project: Project) => Answer): (project: Project) => Answer {
  const answers = new WeakMap<Project, Answer>();
  return (project) => {
    const known = answers.get(project) ?? ask(project);
    answers.set(project, known);
    return known;
  };
}

const soundBySort = oncePerProject(({ objects }) =>
  Map.groupBy(
    objects.filter(({ sound }) => sound),
    ({ sort }) => sort,
  ),
);

const servedBySort = oncePerProject((project) => {
  const published = [...soundBySort(project)].map(([sort, objects]): [CollectionSort, Served<unknown>[]] => [
    sort,
    objects.flatMap((object) => (project.published?.has(object.index) ? [{ object, value: object.value }] : [])),
  ]);
  return new Map(published);
});

/**
 * What of one sort is published and has nothing wrong with its shape. Advice is for these only: an object that nothing
 * uses, or that the schema refuses, has its finding already.
 */
export function served<Value>(project: Project, sort: CollectionSort): readonly Served<Value>[] {
  return (servedBySort(project).get(sort) ?? []) as readonly Served<Value>[];
}

/** Models that are served, by name. */
export const servedModels = oncePerProject((project): Readonly<Record<string, ModelSnapshot>> =>
  Object.fromEntries(served<ModelSnapshot>(project, 'model').map(({ object, value }) => [object.id, value])),
);

/** Nothing published of these sorts was refused: only then is it known what refers to what, and what is missing. */
export const allSound = ({ objects, published }: Project, ...sorts: readonly CollectionSort[]): boolean =>
  objects.every(({ sort, sound, index }) => sound || !sorts.includes(sort) || !published?.has(index));

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
export const byName = (project: Project, sort: CollectionSort): ReadonlyMap<string, CompiledObject> =>
  namesBySort(project).get(sort) ?? new Map<string, CompiledObject>();

const namesBySort = oncePerProject(
  (project) =>
    new Map(
      [...soundBySort(project)].map(([sort, objects]) => [
        sort,
        new Map(objects.map((each): [string, CompiledObject] => [each.id, each]).reverse()),
      ]),
    ),
);
