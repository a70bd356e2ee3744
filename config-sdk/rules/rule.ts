/** What a rule sees and what it says: pure functions over everything that was declared. */
import type { FindingCode } from '../findings.ts';
import type { CollectionSort, Place } from '../compile/places.ts';
import type { LoadedDeclaration } from '../load/document.ts';

export interface Problem {
  readonly code: FindingCode;
  readonly place: Place;
  readonly message: string;
  readonly hint?: string;
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
  /** Place of the defineGateway call. */
  readonly gateway: Place | undefined;
  /** Place of a value inside a compiled object; undefined when it came from something that was refused. */
  readonly placeOf: (object: CompiledObject, path: readonly (string | number)[]) => Place | undefined;
}

export type Rule = (project: Project) => readonly Problem[];

/** The `objects` of one sort by name; the first of two equal names wins. */
export function byName(project: Project, sort: CollectionSort): ReadonlyMap<string, CompiledObject> {
  return new Map(
    project.objects
      .filter((each) => each.sort === sort && each.sound)
      .map((each): [string, CompiledObject] => [each.id, each])
      .reverse(),
  );
}
