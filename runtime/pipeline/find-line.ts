/** Which line a request walks: a model call, an operation beside it, the list of models, or a route of the configuration. */
import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../call.ts';
import type { ClientDialect } from '../dialects/dialect.ts';
import type { Asked, RequestHead } from '../door.ts';
import { HeadgateError } from '../errors.ts';
import type { LiveRoute, Tables } from '../generation/generation.ts';
import * as surfaces from '../surfaces/index.ts';
import type { Surface, SurfaceCall, SurfaceTask } from '../surfaces/surface.ts';

const all: readonly Surface[] = Object.values(surfaces);
const names = new Map<Surface, string>(Object.entries(surfaces).map(([name, surface]) => [surface, name]));

interface KnownCall extends SurfaceCall {
  readonly surface: Surface;
}

const calls: readonly KnownCall[] = all.flatMap((surface) => surface.calls.map((call) => ({ ...call, surface })));
const modelMark = '{model}';
const fixedCalls = new Map(calls.filter(({ path }) => !path.includes(modelMark)).map((call) => [call.path, call]));
const namingCalls = calls
  .filter(({ path }) => path.includes(modelMark))
  .map((call) => {
    const [before = '', after = ''] = call.path.split(modelMark);
    return { call, before, after };
  });

const tasks = new Map(
  all.flatMap((surface) => (surface.tasks ?? []).map((asked): [string, TaskLine] => [asked.path, { surface, asked }])),
);

/** Paths that belong to model APIs: their errors are worded as those APIs word them. */
export const isModelPath = (path: string): boolean =>
  path.startsWith('/v1/') || path === '/v1' || path.startsWith('/v1beta/');

/** Paths that are there whatever the configuration says; `{model}` stands for a name. */
export const surfacePaths: readonly string[] = [
  ...calls.map(({ path }) => path),
  ...tasks.keys(),
  ...all.map((each) => each.modelsPath),
];

export const surfaceName = (surface: Surface): string => names.get(surface) ?? '';

/** A model call: whose API it is, what it is written in, and what its path says in place of the body. */
export interface CallLine {
  readonly surface: Surface;
  readonly dialect: ClientDialect;
  readonly says: JsonObject;
}

/** An operation without a conversation, and whose API it is. */
export interface TaskLine {
  readonly surface: Surface;
  readonly asked: SurfaceTask;
}

export type Line =
  | ({ readonly line: 'call' } & CallLine)
  | ({ readonly line: 'task' } & TaskLine)
  /** `name`: of the one model that is asked for. */
  | { readonly line: 'models'; readonly surface: Surface; readonly name: string | undefined }
  | { readonly line: 'route'; readonly route: LiveRoute }
  /** `allow`: the methods that are taken there, by what `matched` names. */
  | {
      readonly line: 'none';
      readonly surface: Surface | undefined;
      readonly error: HeadgateError;
      readonly allow: readonly string[];
      readonly matched: 'models' | 'none';
    };

function callAt(path: string): CallLine | undefined {
  const fixed = fixedCalls.get(path);
  if (fixed) return { ...fixed, says: fixed.says ?? {} };
  for (const { call, before, after } of namingCalls) {
    const length = path.length - before.length - after.length;
    if (length < 1 || !path.startsWith(before) || !path.endsWith(after)) continue;
    const model = decodeURIComponent(path.slice(before.length, before.length + length));
    return { ...call, says: { ...call.says, model } };
  }
  return undefined;
}

/** Whether an operation without a conversation is at `path`. */
export const isTaskPath = (path: string): boolean => tasks.has(path);

/** Whether a model call can be sent to `path`. */
export const isCallPath = (path: string): boolean => callAt(path) !== undefined;

const spoken = (candidates: readonly Surface[], headers: IncomingHttpHeaders): Surface | undefined =>
  candidates.find((surface) => surface.isSpokenBy?.(headers)) ?? candidates[0];

/** Whose words a failure at a model path is told in when no call was found there. */
export function surfaceFor(path: string, headers: IncomingHttpHeaders): Surface | undefined {
  if (!isModelPath(path)) return undefined;
  const called = callAt(path);
  if (called) return called.surface;
  const task = tasks.get(path);
  if (task) return task.surface;
  const root = path.split('/', 2).join('/');
  const near = all.filter(({ modelsPath }) => modelsPath.startsWith(`${root}/`));
  return spoken(near.length > 0 ? near : all, headers);
}

/** The list of models that `path` asks for, or the name of the one. */
function modelsAt(
  path: string,
  headers: IncomingHttpHeaders,
): { surface: Surface; name: string | undefined } | undefined {
  const within = all.filter(({ modelsPath }) => path === modelsPath || path.startsWith(`${modelsPath}/`));
  const surface = spoken(within, headers);
  if (!surface) return undefined;
  const rest = path.slice(surface.modelsPath.length + 1);
  return { surface, name: path === surface.modelsPath ? undefined : decodeURIComponent(rest) };
}

function notAllowed(
  path: string,
  allow: readonly string[],
  surface?: Surface,
  matched: 'models' | 'none' = 'none',
): Line {
  const error = new HeadgateError('method_not_allowed', `${path} takes ${allow.join(', ')}.`);
  return { line: 'none', surface, error, allow, matched };
}

export function findLine({ method = '', headers }: RequestHead, { host, path }: Asked, tables: Tables): Line {
  const called = callAt(path);
  if (called) return method === 'POST' ? { line: 'call', ...called } : notAllowed(path, ['POST'], called.surface);
  const task = tasks.get(path);
  if (task) return method === 'POST' ? { line: 'task', ...task } : notAllowed(path, ['POST'], task.surface);
  const models = modelsAt(path, headers);
  if (models)
    return method === 'GET' ? { line: 'models', ...models } : notAllowed(path, ['GET'], models.surface, 'models');
  const match = isModelPath(path) ? undefined : tables.matchRoute(method, host, path);
  if (match && 'route' in match) return { line: 'route', route: match.route };
  if (match) return notAllowed(path, match.refused);
  const error = new HeadgateError('route_not_found', `Nothing is served at ${method} ${path}.`);
  return { line: 'none', surface: undefined, error, allow: [], matched: 'none' };
}
