/** What the snapshot schema says about one object, in the words of what the author wrote. */
import { policyKinds, providerKinds, snapshotSchema, strategyKinds } from '@headgate/runtime/snapshot';
import type { z } from 'zod';
import { notDataMark, type LoadedDeclaration } from '../load/document.ts';
import { isPlaintextKey } from '../rules/consumers.ts';
import { nearProperty } from './property-names.ts';
import type { CompiledObject, Problem } from '../rules/rule.ts';
import type { Compilation } from './objects.ts';
import { collections, isObject, isUnknown, type Path, type Place } from './places.ts';

type Issue = z.core.$ZodIssue;

const kindsOf: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  provider: providerKinds,
  policy: policyKinds,
  'context-policy': strategyKinds,
};

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null
        ? (value as Record<string | number, unknown>)[key as string]
        : undefined,
    root,
  );
}

const inWords = (path: Path): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : index > 0 ? `.${key}` : key)).join('');
const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** What sizes are counted in, by the sort of value. */
const sizes: Readonly<Record<string, string | undefined>> = {
  number: '',
  int: '',
  string: ' characters',
  array: ' long',
};

/** A union only says that no branch fits; what the branches wanted is worth more. */
function messageOf(issue: Issue): string {
  if ((issue.code === 'too_small' || issue.code === 'too_big') && sizes[issue.origin] !== undefined) {
    const [most, bound] = issue.code === 'too_big' ? ['most', issue.maximum] : ['least', issue.minimum];
    if (issue.inclusive && /^Too (small|big): /.test(issue.message))
      return `must be at ${most} ${bound}${sizes[issue.origin]}`;
  }
  if (issue.code !== 'invalid_union' || issue.errors.length === 0 || issue.message !== 'Invalid input')
    return lowerFirst(issue.message.replace(/^(Invalid input|Too (small|big)): /, ''));
  // The one form that was meant, and in which something is wrong further inside.
  const [meant, ...others] = issue.errors.filter((branch) => branch.every(({ path }) => path.length > 0));
  if (meant && others.length === 0)
    return meant.map((inside) => `${inWords(inside.path as Path)}: ${messageOf(inside)}`).join(', and ');
  const wanted = issue.errors.flatMap((branch) =>
    branch
      .filter(({ path }) => path.length === 0)
      .map(({ message }) => lowerFirst(message.replace(/^Invalid input: /, ''))),
  );
  return [...new Set(wanted)].join(', or ') || 'no allowed form fits';
}

/** What is wrong in the only form of a union that was meant: the others want another sort of value altogether. */
function meant(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const [branch, ...others] = issue.errors.filter((each) =>
    each.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
  );
  if (!branch || others.length > 0) return [issue];
  return branch.flatMap((each) => meant({ ...each, path: [...issue.path, ...each.path] }));
}

type Subject = Omit<CompiledObject, 'sound'>;

/** The declaration in which a value stands, such as `quota 'free'` or `target sandbox/echo`. */
function subjectOf(declaration: LoadedDeclaration | undefined): string {
  if (!declaration) return '';
  const { sort, id, facts } = declaration;
  if (sort === 'target') return `target ${facts['provider']}/${facts['model']}`;
  return `${sort.replace('-', ' ')}${id && ` '${id}'`}`;
}

const isNotData = (value: unknown): boolean => isObject(value) && Object.hasOwn(value, notDataMark);

function spelling(key: string, sort: string): string {
  const meant = nearProperty(key);
  if (meant === key) return 'leave it out: it means nothing beside the rest';
  if (meant !== undefined) return `did you mean '${meant}'?`;
  return `check its spelling, or remove it${kindsOf[sort] ? '; options depend on `kind`' : ''}`;
}

interface Whereabouts {
  readonly path: Path;
  readonly place: Place;
  /** Of a property of the value. */
  readonly placeOf: (key: string) => Place | undefined;
  readonly subject: string;
}

function problemOf(
  issue: Issue,
  { path, place, placeOf, subject }: Whereabouts,
  { sort, value }: { readonly sort: string; readonly value: unknown },
): Problem[] {
  const written = inWords(place.path[0] === 'options' ? place.path.slice(1) : place.path);
  const at = written ? `${subject}: ${written}` : subject;
  if (issue.code === 'unrecognized_keys') {
    const known = issue.keys.filter((key) => !isNotData(valueAt(value, [...path, key])));
    return known.flatMap((key): Problem[] => {
      const at = placeOf(key);
      const message = `${subject}: ${written ? `${written}.` : ''}${key} is not known here`;
      return at ? [{ code: 'unknown_property', place: { ...at, name: true }, message, hint: spelling(key, sort) }] : [];
    });
  }
  const last = path.at(-1);
  const parent = valueAt(value, path.slice(0, -1));
  if (last !== undefined && isObject(parent) && !Object.hasOwn(parent, last))
    return [{ code: 'missing_value', place, message: `${at} is missing` }];
  const kinds = path.length === 1 && last === 'kind' ? kindsOf[sort] : undefined;
  const message = kinds ? `must be one of ${Object.keys(kinds).join(', ')}` : messageOf(issue);
  return [{ code: 'invalid_value', place, message: `${at}: ${message}` }];
}

function collectionSchema(sort: CompiledObject['sort']): z.ZodType {
  return snapshotSchema.shape[collections[sort]];
}

export interface SchemaVerdict {
  /** The schema takes the object as it is. */
  readonly sound: boolean;
  readonly problems: readonly Problem[];
}

const parsed = (sort: CompiledObject['sort'], members: readonly Subject[]) =>
  collectionSchema(sort).safeParse(Object.fromEntries(members.map(({ id, value }) => [id, value])));

/** Values that the schema has taken, with the sort and name they had. */
const taken = new WeakMap<object, Pick<Subject, 'sort' | 'id'>>();

function isTaken({ sort, id, value }: Subject): boolean {
  const known = isObject(value) ? taken.get(value) : undefined;
  return known?.sort === sort && known.id === id;
}

/** Of each object, in order. */
export function schemaVerdicts(objects: readonly Subject[], compilation: Compilation): SchemaVerdict[] {
  const fine = new Set<CompiledObject['sort']>();
  // Thousands of good objects are asked about at once; where one is bad, or hides behind another's name, each by itself.
  for (const [sort, members] of Map.groupBy(objects, (each) => each.sort)) {
    const names = new Set(members.map(({ id }) => id));
    if (names.size < members.length) continue;
    const others = members.filter((each) => !isTaken(each));
    if (others.length > 0 && !parsed(sort, others).success) continue;
    fine.add(sort);
    for (const each of others) if (isObject(each.value)) taken.set(each.value, { sort, id: each.id });
  }
  return objects.map((each) =>
    fine.has(each.sort) ? { sound: true, problems: [] } : schemaVerdict(each, compilation),
  );
}

function schemaVerdict(object: Subject, compilation: Compilation): SchemaVerdict {
  const { index, sort, value } = object;
  const whole: Place = { declaration: index, path: [] };
  const { success, error } = parsed(sort, [object]);
  const problems = (error?.issues ?? []).flatMap(meant).flatMap((issue): Problem[] => {
    const path = issue.path.slice(1) as Path;
    if (issue.code === 'invalid_key' && path.length === 0) {
      const message = `${subjectOf(compilation.declarations[index])}: ${issue.issues[0]?.message ?? issue.message}`;
      return [{ code: 'bad_name', place: { ...whole, path: ['$id'] }, message }];
    }
    const place = compilation.placeOf(value, path, whole);
    const there = valueAt(value, path);
    // Reported elsewhere, as what it is.
    if (!place || isNotData(there)) return [];
    if (sort === 'consumer' && path[0] === 'keys' && isPlaintextKey(there)) return [];
    const subject = subjectOf(compilation.declarations[place.declaration]);
    const placeOf = (key: string) => compilation.placeOf(value, [...path, key], whole);
    return problemOf(issue, { path, place, placeOf, subject }, object);
  });
  return { sound: success, problems };
}

/** What `defineGateway` says of the gateway itself under `key`, by the schema of the snapshot. */
export function gatewayPartProblems(gateway: number, key: 'rollout', value: unknown): Problem[] {
  const { error } = snapshotSchema.shape[key].safeParse(value);
  return (error?.issues ?? []).flatMap(meant).flatMap((issue) => {
    const path = issue.path as Path;
    const there = valueAt(value, path);
    // Reported elsewhere, as what it is.
    if (isNotData(there) || isUnknown(there)) return [];
    const place = { declaration: gateway, path: [key, ...path] };
    const placeOf = (name: string) => ({ ...place, path: [...place.path, name] });
    return problemOf(issue, { path, place, placeOf, subject: 'defineGateway' }, { sort: 'gateway', value });
  });
}
