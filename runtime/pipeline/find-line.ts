/** Which line a request walks: a model call, an operation beside it, the list of models, or a route of the configuration. */
import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../call.ts';
import type { ClientDialect } from '../dialects/dialect.ts';
import type { Holdings, HoldingsRequest } from '../dialects/holdings.ts';
import type { Asked, RequestHead } from '../door.ts';
import { HeadgateError } from '../errors.ts';
import type { Tables } from '../generation/generation.ts';
import type { LiveRoute } from '../generation/live.ts';
import type { ModelKind } from '../model-kind.ts';
import * as surfaces from '../surfaces/index.ts';
import type { Surface, SurfaceCall, SurfaceTask } from '../surfaces/surface.ts';

/** First those whose clients show nothing that tells them from others': they are meant where nobody else is. */
const all: readonly Surface[] = Object.values<Surface>(surfaces).toSorted(
  (one, other) => Number(one.isSpokenBy !== undefined) - Number(other.isSpokenBy !== undefined),
);
const names = new Map<Surface, string>(Object.entries(surfaces).map(([name, surface]) => [surface, name]));

const calls = all.flatMap((surface) => surface.calls.map((call) => ({ ...call, surface })));
const tasks = all.flatMap((surface) => (surface.tasks ?? []).map((asked) => ({ path: asked.path, asked, surface })));

const holdings = all.flatMap((surface) =>
  (surface.holdings?.requests ?? []).map((request) => ({ path: request.path, request, surface })),
);

const modelMark = '{model}';

/** What is at a path, and the model that the path names. */
function placesOf<Placed extends { readonly path: string }>(all: readonly Placed[]) {
  const fixed = new Map(
    all.filter(({ path }) => !path.includes(modelMark)).map((placed) => [placed.path, { placed, says: {} }]),
  );
  const naming = all
    .filter(({ path }) => path.includes(modelMark))
    .map((placed) => {
      const [before = '', after = ''] = placed.path.split(modelMark);
      return { placed, before, after };
    });
  return (path: string): { readonly placed: Placed; readonly says: JsonObject } | undefined => {
    const there = fixed.get(path);
    if (there) return there;
    for (const { placed, before, after } of naming) {
      const length = path.length - before.length - after.length;
      if (length < 1 || !path.startsWith(before) || !path.endsWith(after)) continue;
      return { placed, says: { model: decodeURIComponent(path.slice(before.length, before.length + length)) } };
    }
    return undefined;
  };
}

const placedCall = placesOf(calls);
const placedTask = placesOf(tasks);

const listsOf = ({ modelsPath, otherModelsPath }: Surface): readonly string[] =>
  otherModelsPath === undefined ? [modelsPath] : [modelsPath, otherModelsPath];

/** Paths that belong to model APIs: their errors are worded as those APIs word them. */
export const isModelPath = (path: string): boolean =>
  path.startsWith('/v1/') || path === '/v1' || path.startsWith('/v1beta/');

/** Paths that are there whatever the configuration says; `{model}` stands for a name. */
export const surfacePaths: readonly string[] = [
  ...calls.map(({ path }) => path),
  ...tasks.map(({ path }) => path),
  ...holdings.map(({ path }) => path),
  ...all.flatMap(listsOf),
];

/** Where an operation beside chat is asked for that models of this sort are for. */
export const taskPathFor = (kind: ModelKind): string | undefined =>
  tasks.find(({ asked }) => asked.kind === kind)?.path;

export const surfaceName = (surface: Surface): string => names.get(surface) ?? '';

/** A model call: whose API it is, what it is written in, and what its path says in place of the body. */
export interface CallLine extends Pick<SurfaceCall, 'writeCount'> {
  readonly surface: Surface;
  readonly dialect: ClientDialect;
  readonly says: JsonObject;
  readonly query?: Readonly<Record<string, string>>;
}

/** An operation without a conversation, and whose API it is. */
export interface TaskLine {
  readonly surface: Surface;
  readonly asked: SurfaceTask;
  readonly says: JsonObject;
}

/** A request for what a vendor keeps, such as a file. */
export interface HoldingsLine {
  readonly surface: Surface;
  readonly asked: { readonly holdings: Holdings; readonly request: HoldingsRequest };
  /** By which the client knows the one it asks for. */
  readonly name: string | undefined;
}

export type Line =
  | ({ readonly line: 'holdings' } & HoldingsLine)
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

export function callAt(path: string): CallLine | undefined {
  const found = placedCall(path);
  return found && { ...found.placed, says: { ...found.placed.says, ...found.says } };
}

export function taskAt(path: string): TaskLine | undefined {
  const found = placedTask(path);
  return found && { surface: found.placed.surface, asked: found.placed.asked, says: found.says };
}

/** What `{id}` stands for in `path` where it is of this shape; empty where the shape has none. */
function nameIn(shape: string, path: string): string | undefined {
  const [before = '', after] = shape.split('{id}');
  if (after === undefined) return shape === path ? '' : undefined;
  const name = path.slice(before.length, path.length - after.length);
  const fits = path.startsWith(before) && path.endsWith(after) && path.length > before.length + after.length;
  return fits && !name.includes('/') ? name : undefined;
}

/** Every request that is taken at `path`, by its method. */
function holdingsAt(path: string): readonly (HoldingsLine & { readonly method: string })[] {
  return holdings.flatMap(({ path: shape, request, surface }) => {
    const name = nameIn(shape, path);
    if (name === undefined || !surface.holdings) return [];
    const asked = { holdings: surface.holdings, request };
    return [{ method: request.method, surface, asked, name: name === '' ? undefined : decodeURIComponent(name) }];
  });
}

/** Whether an operation without a conversation is at `path`. */
export const isTaskPath = (path: string): boolean => placedTask(path) !== undefined;

/** Whether a model call can be sent to `path`. */
export const isCallPath = (path: string): boolean => callAt(path) !== undefined;

const spoken = (candidates: readonly Surface[], headers: IncomingHttpHeaders): Surface | undefined =>
  candidates.find((surface) => surface.isSpokenBy?.(headers)) ?? candidates[0];

/** Whose words a failure at a model path is told in when no call was found there. */
export function surfaceFor(path: string, headers: IncomingHttpHeaders): Surface | undefined {
  if (!isModelPath(path)) return undefined;
  const called = callAt(path);
  if (called) return called.surface;
  const task = taskAt(path);
  if (task) return task.surface;
  const [held] = holdingsAt(path);
  if (held) return held.surface;
  const root = path.split('/', 2).join('/');
  const near = all.filter((each) => listsOf(each).some((list) => list.startsWith(`${root}/`)));
  return spoken(near.length > 0 ? near : all, headers);
}

/** The list of models that `path` asks for, or the name of the one. */
function modelsAt(
  path: string,
  headers: IncomingHttpHeaders,
): { surface: Surface; name: string | undefined } | undefined {
  const within = (list: string) => path === list || path.startsWith(`${list}/`);
  const candidates = all.filter((each) => listsOf(each).some(within));
  const surface = spoken(candidates, headers);
  const list = surface && listsOf(surface).find(within);
  if (!surface || list === undefined) return undefined;
  return { surface, name: path === list ? undefined : decodeURIComponent(path.slice(list.length + 1)) };
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

/** A call whose query asks for something else than what is served at its path. */
function otherwiseAsked({ query, surface }: CallLine, url = ''): Line | undefined {
  if (!query) return undefined;
  const given = new URLSearchParams(url.split('?', 2)[1]);
  const [missing] = Object.entries(query).filter(([name, value]) => given.get(name) !== value);
  if (!missing) return undefined;
  const wanted = missing.join('=');
  const error = new HeadgateError('invalid_request', `Only ${wanted} is served here: add ?${wanted} to the path.`);
  return { line: 'none', surface, error, allow: [], matched: 'none' };
}

export function findLine({ method = '', headers, url }: RequestHead, asked: Asked, tables: Tables): Line {
  const { host, path } = asked;
  const called = callAt(path);
  if (called && method !== 'POST') return notAllowed(path, ['POST'], called.surface);
  if (called) return otherwiseAsked(called, url) ?? { line: 'call', ...called };
  const task = taskAt(path);
  if (task) return method === 'POST' ? { line: 'task', ...task } : notAllowed(path, ['POST'], task.surface);
  const held = holdingsAt(path);
  const [first] = held;
  const asksFor = held.find((each) => each.method === method);
  if (asksFor) return { line: 'holdings', surface: asksFor.surface, asked: asksFor.asked, name: asksFor.name };
  if (first) return notAllowed(path, [...new Set(held.map((each) => each.method))], first.surface);
  const models = modelsAt(path, headers);
  if (models)
    return method === 'GET' ? { line: 'models', ...models } : notAllowed(path, ['GET'], models.surface, 'models');
  const match = isModelPath(path) ? undefined : tables.matchRoute(method, host, path);
  if (match && 'route' in match) return { line: 'route', route: match.route };
  if (match) return notAllowed(path, match.refused);
  const error = new HeadgateError('route_not_found', `Nothing is served at ${method} ${path}.`);
  return { line: 'none', surface: undefined, error, allow: [], matched: 'none' };
}
