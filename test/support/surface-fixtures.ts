/**
 * The fixtures of surfaces, `test/fixtures/surfaces/`: what clients send as the vendor's documentation and SDKs have it, and
 * what they must get back.
 *
 * - `<dialect>.json`: a request with everything that the dialect has
 * - `<surface>/surface.json`: where the shapes come from, how its clients send a key, the list of models
 * - `<surface>/errors.json`: what each failure looks like: `{message}` stands for a sentence, `{param}` for the field at fault
 * - `<surface>/<call>/call.json`: its paths, the request, and what it needs; beside it the answers, by `files`
 *
 * A call of the sort `chat` is answered with what is recorded of two vendors (`test/fixtures/providers/`): of one that speaks
 * its dialect, and of one that does not. The latter's answers stand beside the call as its clients must see them.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { JsonObject } from '../../runtime/call.ts';
import type { ModelKind } from '../../runtime/model-kind.ts';

const folder = new URL('../fixtures/', import.meta.url);

export interface AboutSurface {
  readonly source: string;
  /** The header of its clients' key, and what stands in it beside the key. */
  readonly key: { readonly header: string; readonly prefix: string };
  readonly headers: Readonly<Record<string, string>>;
  /** The answer where the models `first` and `second` may be used, and that about the first. */
  readonly models: JsonObject;
  readonly model: JsonObject;
}

export type Sort = 'chat' | 'count' | 'task';

export interface AboutCall {
  readonly sort: Sort;
  /** Everywhere that it is served; `streams` where streams are asked for at another path. */
  readonly paths: readonly string[];
  readonly streams?: readonly string[];
  /** Of models it takes; without it those for chat. */
  readonly kind?: ModelKind;
  /** Without `model`, which the test adds where it belongs. */
  readonly request: JsonObject;
  /** What asks for a stream, where `streams` does not. */
  readonly streamFields?: JsonObject;
  /** Sent as a form, with bytes for this field. */
  readonly file?: string;
  /** What a request must have, and whose absence is named as this field. */
  readonly needs: string;
  readonly param: string;
  /** Nothing in the request is text that a policy could judge. */
  readonly isTextless?: boolean;
  /** Where its vendor's answers are recorded, under `test/fixtures/`: for the sort `task` the answer is `answer.*` beside it. */
  readonly native: { readonly kind: string; readonly answers: Readonly<Partial<Record<ShapeName, string>>> };
  /** The kind whose recorded answers stand beside the call in translation; of a task, `vendor.json` and `translated.json`. */
  readonly translated?: string;
  /** Input and output tokens of `answer.*`. */
  readonly usage?: readonly [number, number];
}

export const shapeFiles = {
  unary: 'unary.json',
  stream: 'stream.txt',
  tools: 'tools.json',
  toolsStream: 'tools-stream.txt',
} as const;
export type ShapeName = keyof typeof shapeFiles;
export const shapeNames = Object.keys(shapeFiles) as ShapeName[];

const files: Readonly<Record<Sort, readonly string[]>> = {
  chat: ['read.json', 'received.json', ...Object.values(shapeFiles), 'stream-error.txt'],
  count: ['answer.json'],
  task: ['answer.'],
};

const at = (...names: string[]): URL => new URL(['surfaces', ...names].join('/'), folder);
const namesIn = (...names: string[]): readonly string[] => (existsSync(at(...names)) ? readdirSync(at(...names)) : []);

export const recorded = (path: string): Buffer => readFileSync(new URL(path, folder));
const readText = (...names: string[]): string => readFileSync(at(...names), 'utf8');
export const readJson = <T = JsonObject>(...names: string[]): T => JSON.parse(readText(...names)) as T;

/** Compares with what stands there; `UPDATE_GOLDEN=1` writes it instead. */
export function assertIs(actual: unknown, ...names: string[]): void {
  const isText = typeof actual === 'string';
  if (process.env['UPDATE_GOLDEN'] === '1')
    writeFileSync(at(...names), isText ? actual : `${JSON.stringify(actual, undefined, 2)}\n`);
  const expected = isText ? readText(...names) : readJson<unknown>(...names);
  assert.deepEqual(isText ? actual : JSON.parse(JSON.stringify(actual)), expected, names.join('/'));
}

export const surfacesWithFixtures = (): readonly string[] => namesIn('.').filter((name) => !name.includes('.'));
export const callsOf = (surface: string): readonly string[] => namesIn(surface).filter((name) => !name.includes('.'));
export const aboutCall = (surface: string, call: string): AboutCall => readJson(surface, call, 'call.json');

/** What is not there and must be. */
export function missingFiles(surface: string): readonly string[] {
  const own = ['surface.json', 'errors.json'].filter((name) => !namesIn(surface).includes(name));
  const ofCalls = callsOf(surface).flatMap((call) => {
    const there = namesIn(surface, call);
    if (!there.includes('call.json')) return [`${call}/call.json`];
    const { sort, translated } = aboutCall(surface, call);
    const wanted = [...files[sort], ...(sort === 'task' && translated ? ['vendor.json', 'translated.json'] : [])];
    return wanted.filter((name) => !there.some((file) => file.startsWith(name))).map((name) => `${call}/${name}`);
  });
  return [...own, ...ofCalls];
}

/** The bytes of a task's answer, and their type. */
export function answerOf(surface: string, call: string): { readonly bytes: Buffer; readonly type: string } {
  const file = namesIn(surface, call).find((name) => name.startsWith('answer.')) ?? '';
  const type = file.endsWith('.json') ? 'application/json' : 'audio/mpeg';
  return { bytes: readFileSync(at(surface, call, file)), type };
}
