/** From loaded declarations to a snapshot, with every problem that the schema and the rules find on the way. */
import { maxSnapshotBytes, parseJsonBytes } from '@headgate/runtime/artifact';
import { canonicalJson } from '@headgate/runtime/canonical-json';
import { objectName, snapshotSchema, type SnapshotInput } from '@headgate/runtime/snapshot';
import { notDataMark, type Json, type LoadDocument, type LoadedDeclaration } from '../load/document.ts';
import { applyAcceptances } from '../accept.ts';
import { problemsIn } from '../rules/asked-before.ts';
import { rules } from '../rules/index.ts';
import type { CompiledObject, Problem, Project } from '../rules/rule.ts';
import { brokenInvariants } from './broken-invariants.ts';
import { asWritten } from './as-written.ts';
import { inherited } from './inherited.ts';
import { Compilation } from './objects.ts';
import {
  collections,
  handleIndex,
  isCollectionSort,
  isObject,
  isUnknown,
  type JsonObject,
  type Place,
} from './places.ts';
import { reach } from './reach.ts';
import { gatewayPartProblems, schemaVerdicts } from './schema-problems.ts';
import { optionalProperties, snapshotOf } from './snapshot-of.ts';

export interface CompileResult {
  readonly problems: readonly Problem[];
  /** Only worth publishing when no problem is an error. Undefined when there is no gateway. */
  readonly snapshot: SnapshotInput | undefined;
}

const allData = new WeakSet<LoadedDeclaration>();

/** Values that no JSON can hold, wherever they stand. */
function notData(declarations: LoadDocument['declarations']): Problem[] {
  const problems: Problem[] = [];
  const trail: (string | number)[] = [];
  const collect = (value: Json, declaration: number): void => {
    if (typeof value !== 'object' || value === null) return;
    const isList = Array.isArray(value);
    const mark = isList ? undefined : (value as JsonObject)[notDataMark];
    if (typeof mark === 'string') {
      const place = { declaration, path: [...trail] };
      problems.push({ code: 'not_data', place, message: `${mark} cannot be written as JSON` });
      return;
    }
    for (const key of Object.keys(value)) {
      trail.push(isList ? Number(key) : key);
      collect((value as JsonObject)[key] ?? null, declaration);
      trail.pop();
    }
  };
  for (const [index, declaration] of declarations.entries()) {
    if (allData.has(declaration)) continue;
    const before = problems.length;
    collect(declaration.spec, index);
    if (problems.length === before) allData.add(declaration);
  }
  return problems;
}

/** The lists of defineGateway hold what they should. */
function listProblems(document: LoadDocument, gateway: number): Problem[] {
  const spec = document.declarations[gateway]?.spec;
  if (!isObject(spec)) return [];
  const problems: Problem[] = [];
  for (const [key, sort] of [
    ['models', 'model'],
    ['routes', 'route'],
    ['consumers', 'consumer'],
  ] as const) {
    if (isUnknown(spec[key])) continue;
    for (const [position, member] of Object.entries(isObject(spec[key]) || Array.isArray(spec[key]) ? spec[key] : {})) {
      if (isUnknown(member)) continue;
      const index = handleIndex(member);
      const found = index === undefined ? undefined : document.declarations[index];
      if (found?.sort === sort) continue;
      const step = Array.isArray(spec[key]) ? Number(position) : position;
      const message = `${key} holds ${sort}s only, not ${found ? `the ${found.sort.replace('-', ' ')} '${found.id}'` : 'this'}`;
      problems.push({ code: 'wrong_reference', place: { declaration: gateway, path: [key, step] }, message });
    }
  }
  return problems;
}

const gatewayProperties = ['name', 'models', 'routes', 'consumers', 'access', 'accept', ...optionalProperties];

function gatewayProblems(document: LoadDocument, gateway: number): Problem[] {
  const problems = listProblems(document, gateway);
  const spec = document.declarations[gateway]?.spec;
  if (!isObject(spec) || isUnknown(spec)) return problems;
  const place = { declaration: gateway, path: ['name'] };
  if (!isUnknown(spec['name']) && !objectName.safeParse(spec['name']).success) {
    problems.push({
      code: 'bad_name',
      place,
      message: 'the gateway needs a name of up to 64 letters, digits, dots, dashes or underscores',
    });
  }
  for (const key of Object.keys(spec).filter((each) => !gatewayProperties.includes(each))) {
    problems.push({
      code: 'unknown_property',
      place: { declaration: gateway, path: [key], name: true },
      message: `defineGateway: ${key} is not known here`,
    });
  }
  if (!isUnknown(spec['access']) && ![undefined, 'all', 'declared'].includes(spec['access'] as string | undefined)) {
    const message = "defineGateway: access: write 'all' or 'declared'";
    problems.push({ code: 'invalid_value', place: { declaration: gateway, path: ['access'] }, message });
  }
  problems.push(...gatewayPartProblems(gateway, 'rollout', spec['rollout']));
  return problems;
}

const noObjects = Object.fromEntries(Object.values(collections).map((name) => [name, {}]));

/** Lists of places that the schema has taken, of which there are as many as objects. */
const takenSources = new WeakSet<object>();

/** The snapshot as a whole: what no single object can show. The schema has taken every object, and asks nothing across them. */
function wholeProblems(snapshot: SnapshotInput, place: Place): Problem[] {
  const sources = takenSources.has(snapshot.sources) ? {} : snapshot.sources;
  const { error } = snapshotSchema.safeParse({ ...snapshot, ...noObjects, sources });
  if (!error) takenSources.add(snapshot.sources);
  const problems = (error?.issues ?? []).map((issue): Problem => ({
    code: 'invalid_value',
    place,
    message: `${issue.path.join('.')}: ${issue.message}`,
  }));
  const { bytes, acceptable } = asWritten(snapshot);
  if (bytes > maxSnapshotBytes) {
    const message = `the snapshot has ${bytes} bytes; ${maxSnapshotBytes} are allowed`;
    return [...problems, { code: 'snapshot_too_large', place, message }];
  }
  if (acceptable) return problems;
  try {
    parseJsonBytes(Buffer.from(canonicalJson(snapshot)), 'snapshot.json');
  } catch (error) {
    // Text that the runtime will not take, such as half of a surrogate pair.
    problems.push({ code: 'invalid_value', place, message: (error as Error).message });
  }
  return problems;
}

/** `directory` is the real path that the document was loaded from, `unusedFiles` what nothing in it imports. */
export function compile(document: LoadDocument, directory: string, unusedFiles: readonly string[] = []): CompileResult {
  const { declarations } = document;
  const gateway = typeof document.gateway === 'number' ? document.gateway : undefined;
  const compilation = new Compilation(declarations);
  const problems = notData(declarations);
  const made = declarations.flatMap(({ sort, id }, index) => {
    if (!isCollectionSort(sort)) return [];
    const before = compilation.problems.length;
    const value = compilation.compile(index);
    return [{ index, sort, id, value, whole: compilation.problems.length === before }];
  });
  const verdicts = schemaVerdicts(made, compilation);
  const written = made.map(({ whole, ...object }, position): CompiledObject => {
    const verdict = verdicts[position];
    return { ...object, sound: whole && verdict?.sound === true };
  });
  const root = gateway === undefined ? undefined : declarations[gateway]?.spec;
  const objects = inherited(written, isObject(root) ? root['access'] : undefined);
  problems.push(...verdicts.flatMap((verdict) => verdict.problems));
  problems.push(
    ...compilation.problems.map(({ wanted: _, ...each }): Problem => ({ code: 'wrong_reference', ...each })),
  );

  const { listed, published } = gateway === undefined ? {} : reach(declarations, gateway);
  const project: Project = {
    directory,
    declarations,
    objects,
    listed,
    published,
    missed: new Set(compilation.problems.flatMap(({ wanted }) => wanted)),
    gateway: gateway === undefined ? undefined : { declaration: gateway, path: [] },
    unusedFiles,
    placeOf: (object, path) => compilation.placeOf(object.value, path, { declaration: object.index, path: [] }),
  };
  problems.push(...problemsIn(project, rules));
  if (gateway === undefined || !published) return { problems, snapshot: undefined };

  const ofGateway = gatewayProblems(document, gateway);
  problems.push(...ofGateway);
  const snapshot = snapshotOf(
    declarations,
    gateway,
    objects.filter(({ index }) => published.has(index)),
  );
  problems.push(...brokenInvariants(document, snapshot));
  // With something known to be wrong in it, the whole would only repeat that; a stand-in counts as known.
  const spec = declarations[gateway]?.spec;
  const known =
    !objects.every(({ sound }) => sound) ||
    ofGateway.some(({ code }) => code === 'invalid_value' || code === 'missing_value') ||
    problems.some(({ code }) => ['bad_name', 'not_data'].includes(code)) ||
    (isObject(spec) && isUnknown(spec['name']));
  if (!known) problems.push(...wholeProblems(snapshot, { declaration: gateway, path: [] }));
  return { problems: applyAcceptances(problems, declarations, gateway), snapshot };
}
