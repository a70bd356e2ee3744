/** Notes what a rule looks at while it is asked: its answer depends on nothing else. */
import type { CollectionSort } from '../compile/places.ts';
import type { Project } from './rule.ts';

/** The objects of a sort, with what each of them was declared as; or another part of a project, as a whole. */
export type LookedAt = CollectionSort | Exclude<keyof Project, 'placeOf'>;

let noting: Set<LookedAt> | undefined;

export function note(what: LookedAt): void {
  noting?.add(what);
}

interface Noted<Answer> {
  readonly answer: Answer;
  readonly lookedAt: ReadonlySet<LookedAt>;
}

/** What `ask` answers, and what it looked at for that. */
export function noted<Answer>(ask: () => Answer): Noted<Answer> {
  const outer = noting;
  const lookedAt = new Set<LookedAt>();
  noting = lookedAt;
  try {
    return { answer: ask(), lookedAt };
  } finally {
    noting = outer;
  }
}

/** A project that notes what of it is looked at. */
export class Observed implements Project {
  readonly #project: Project;

  constructor(project: Project) {
    this.#project = project;
  }

  #part<Name extends Exclude<keyof Project, 'placeOf'>>(name: Name): Project[Name] {
    note(name);
    return this.#project[name];
  }

  get directory() {
    return this.#part('directory');
  }

  get declarations() {
    return this.#part('declarations');
  }

  get objects() {
    return this.#part('objects');
  }

  get listed() {
    return this.#part('listed');
  }

  get published() {
    return this.#part('published');
  }

  get missed() {
    return this.#part('missed');
  }

  get gateway() {
    return this.#part('gateway');
  }

  get unusedFiles() {
    return this.#part('unusedFiles');
  }

  /** Follows from the object. */
  get placeOf() {
    return this.#project.placeOf;
  }
}
