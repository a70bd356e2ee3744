/**
 * Turns authored declarations into the objects of a snapshot: references become names, kind options move under
 * `options`, lists of targets become nodes. Every object made here remembers which authored value it came from.
 */
import { modelName, objectName } from '@headgate/runtime/snapshot';
import type { Json, LoadedDeclaration } from '../load/document.ts';
import type { Sort } from '../site.ts';
import { CompiledBefore } from './compiled-before.ts';
import { consumerKeys, type Tools } from './consumer-keys.ts';
import { placeIn, writtenAt, type Origin } from './origins.ts';
import { factNames, factsOver } from './model-facts.ts';
import {
  describe,
  handleIndex,
  isObject,
  isUnknown,
  split,
  unknown,
  type JsonObject,
  type Path,
  type Place,
  type ReferenceProblem,
} from './places.ts';

export type Compiled = { readonly [key: string]: unknown } | readonly unknown[];

/** What consumers, teams and organisations refer to. */
const callerReferences = {
  team: 'team',
  organisation: 'organisation',
  models: 'model',
  routes: 'route',
  prompts: 'prompt',
  files: 'provider',
  quotas: 'quota',
} as const;

export class Compilation {
  readonly declarations: readonly LoadedDeclaration[];
  readonly problems: ReferenceProblem[] = [];
  readonly #before: CompiledBefore;
  readonly #tools: Tools = {
    from: (place, value, moved) => this.#from(place, value as Compiled, moved) as typeof value,
    names: (spec, place) =>
      this.#names(spec, place, { models: 'model', routes: 'route', prompts: 'prompt', issuer: 'issuer' }),
  };
  /** Whether what was referred to has a name that can be published, by sort and name. */
  readonly #known = new Map<string, boolean>();

  constructor(declarations: readonly LoadedDeclaration[]) {
    this.declarations = declarations;
    this.#before = new CompiledBefore(declarations, this.problems);
  }

  /** The snapshot object of one declaration; anything the schema must refuse stays in it. */
  compile(index: number): unknown {
    return this.#before.compile(index, (each) => this.#compile(index, each));
  }

  #compile(index: number, { sort, spec }: LoadedDeclaration): unknown {
    if (!isObject(spec) || isUnknown(spec)) return spec;
    const place: Place = { declaration: index, path: [] };
    switch (sort) {
      case 'provider':
        return this.#provider(spec, place);
      case 'policy':
      case 'context-policy': {
        const { common, options } = split(spec, ['kind']);
        return this.#from(place, { ...common, options: this.#from(place, options) });
      }
      case 'model':
        return this.#model(spec, place);
      case 'quota':
        return this.#quota(spec, place);
      case 'consumer':
      case 'team':
      case 'organisation':
        return this.#from(place, {
          ...spec,
          ...this.#names(spec, place, callerReferences),
          ...(sort === 'consumer' && consumerKeys(spec, place, this.#tools)),
        });
      case 'route':
        return this.#from(place, {
          ...spec,
          ...this.#names(spec, place, { upstream: 'upstream', quotas: 'quota' }),
        });
      case 'issuer': {
        const { audience } = spec;
        const only =
          typeof audience === 'string' && this.#from({ ...place, path: ['audience'] }, [audience], { 0: [] });
        return this.#from(place, { ...spec, ...(only && { audience: only }) });
      }
      default:
        return this.#from(place, { ...spec });
    }
  }

  /** Where the value at `path` below a compiled object was written. Undefined when it came from something impure. */
  placeOf(compiled: unknown, path: Path, fallback: Place): Place | undefined {
    return placeIn(compiled, path, fallback);
  }

  #from<Value extends Compiled>(place: Place, value: Value, moved?: Origin['moved']): Value {
    return writtenAt(value, { place, ...(moved && { moved }) });
  }

  #provider(spec: JsonObject, place: Place): Compiled {
    const { common, options } = split(spec, ['kind', 'models', 'tags', 'files']);
    const models = common['models'];
    const compiled =
      isObject(models) && !isUnknown(models) ? this.#providerModels(models, common['kind'], place) : models;
    return this.#from(place, {
      ...common,
      ...(compiled !== undefined && { models: compiled }),
      options: this.#from(place, options),
    });
  }

  #providerModels(models: JsonObject, kind: Json | undefined, { declaration }: Place): Compiled {
    const entries = Object.entries(models).map(([id, spec]): [string, unknown] => {
      if (!isObject(spec) || isUnknown(spec)) return [id, spec];
      const place: Place = { declaration, path: ['models', id] };
      const { common, options } = split(spec, factNames);
      const facts = factsOver(common, { kind, id }, (path, value) =>
        this.#from({ declaration, path: [...place.path, ...path] }, value),
      );
      return [id, this.#from(place, { ...facts, options: this.#from(place, options) })];
    });
    return this.#from({ declaration, path: ['models'] }, Object.fromEntries(entries));
  }

  #model(spec: JsonObject, place: Place): Compiled {
    const names = this.#names(spec, place, { context: 'context-policy', policies: 'policy', quotas: 'quota' });
    const targets = spec['targets'];
    const prompt = spec['prompt'];
    return this.#from(place, {
      ...spec,
      ...names,
      ...(targets !== undefined && { targets: this.#targets(targets, { ...place, path: ['targets'] }) }),
      ...(prompt !== undefined && { prompt: this.#prompt(prompt, { ...place, path: ['prompt'] }) }),
    });
  }

  #quota(spec: JsonObject, place: Place): Compiled {
    const { downgrade } = spec;
    if (!isObject(downgrade) || isUnknown(downgrade)) return this.#from(place, { ...spec });
    const to = downgrade['to'];
    const at: Place = { ...place, path: ['downgrade'] };
    const named = to === undefined ? {} : { to: this.#name(to, { ...at, path: ['downgrade', 'to'] }, 'model') };
    return this.#from(place, { ...spec, downgrade: this.#from(at, { ...downgrade, ...named }) });
  }

  #targets(targets: Json, place: Place): unknown {
    if (!Array.isArray(targets))
      return isUnknown(targets)
        ? targets
        : this.#wrong(place, 'targets are a list, such as [provider.target(…)]', ['target']);
    const nodes = targets.map((target: Json, index) => this.#node(target, { ...place, path: [...place.path, index] }));
    if (nodes.length === 1) return nodes[0];
    const of = nodes.map((node, index) =>
      this.#from({ ...place, path: [...place.path, index] }, { node }, { node: [] }),
    );
    return this.#from(place, { kind: 'group', balance: 'ordered', of: this.#from(place, of) });
  }

  #node(value: Json, place: Place): unknown {
    const index = this.#reference(value, place, ['target', 'group']);
    const declaration = index === undefined ? undefined : this.#before.read(index);
    if (index === undefined || !declaration || !isObject(declaration.spec)) return unknown;
    const origin: Place = { declaration: index, path: [] };
    const { spec } = declaration;
    if (declaration.sort === 'target') {
      const options = isObject(spec['options']) ? spec['options'] : {};
      const node = { ...options, kind: 'target', provider: declaration.facts['provider'], model: spec['model'] };
      const moved = Object.fromEntries(Object.keys(options).map((key) => [key, ['options', key]]));
      return this.#from(origin, node, { ...moved, timeout: ['options', 'timeout'], retries: ['options', 'retries'] });
    }
    const members: unknown[] = Array.isArray(spec['of']) ? spec['of'] : [];
    const of = members.map((member, position) => this.#member(member as Json, { ...origin, path: ['of', position] }));
    return this.#from(origin, {
      kind: 'group',
      balance: declaration.facts['balance'],
      ...(spec['options'] !== undefined && { options: spec['options'] }),
      of: this.#from({ ...origin, path: ['of'] }, of),
    });
  }

  #member(member: Json, place: Place): unknown {
    if (!isObject(member) || isUnknown(member)) return member;
    const { target = null, ...rest } = member;
    const node = this.#node(target, { ...place, path: [...place.path, 'target'] });
    return this.#from(place, { ...rest, node }, { node: ['target'] });
  }

  #prompt(value: Json, place: Place): unknown {
    const index = this.#reference(value, place, ['prompt', 'bound-prompt']);
    const declaration = index === undefined ? undefined : this.#before.read(index);
    if (index === undefined || !declaration) return unknown;
    if (declaration.sort === 'prompt') return this.#from(place, { name: declaration.id, variables: {} });
    const variables = isObject(declaration.spec) ? (declaration.spec['variables'] as Json) : unknown;
    return this.#from({ declaration: index, path: [] }, { name: declaration.facts['prompt'] ?? '', variables });
  }

  /** The properties of `spec` that refer to objects, with names in place of the references. */
  #names(spec: JsonObject, place: Place, properties: Readonly<Record<string, Sort>>): Record<string, unknown> {
    const entries = Object.entries(properties).flatMap(([key, sort]): [string, unknown][] => {
      const value = spec[key];
      if (value === undefined) return [];
      const at = { ...place, path: [...place.path, key] };
      if (!Array.isArray(value)) return [[key, this.#name(value, at, sort)]];
      return [[key, value.map((each: Json, index) => this.#name(each, { ...at, path: [...at.path, index] }, sort))]];
    });
    return Object.fromEntries(entries);
  }

  #name(value: Json, place: Place, sort: Sort): unknown {
    const index = this.#reference(value, place, [sort]);
    const id = (index === undefined ? undefined : this.#before.read(index)?.id) ?? '';
    const key = `${sort} ${id}`;
    const known = this.#known.get(key);
    const isName = known ?? (sort === 'model' ? modelName : objectName).safeParse(id).success;
    if (known === undefined) this.#known.set(key, isName);
    // A name that cannot be published is reported where it is given, not wherever it is used.
    return isName ? id : unknown;
  }

  #reference(value: Json, place: Place, sorts: readonly Sort[]): number | undefined {
    if (isUnknown(value)) return undefined;
    const index = handleIndex(value);
    const found = index === undefined ? undefined : this.#before.read(index);
    if (found && sorts.includes(found.sort)) return index;
    const wanted = sorts.map((sort) => `a ${sort.replace('-', ' ')}`).join(' or ');
    this.#wrong(
      place,
      `${wanted} is expected here, not ${found ? `the ${found.sort.replace('-', ' ')} '${found.id}'` : describe(value)}`,
      sorts,
    );
    return undefined;
  }

  #wrong(place: Place, message: string, wanted: readonly Sort[]): JsonObject {
    this.problems.push({ place, message, wanted });
    return unknown;
  }
}
