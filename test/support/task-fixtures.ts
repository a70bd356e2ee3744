/**
 * The fixtures of operations that are translated, `test/fixtures/tasks/<name>.json`: what vendors document of their own words
 * for embeddings and reranking. Each case is a request of OpenAI's or Jina's words, what becomes of it, and what is answered.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { JsonObject } from '../../runtime/call.ts';
import type { VendorTask } from '../../runtime/dialects/task.ts';
import type { ProviderKind } from '../../runtime/providers/provider.ts';
import { schemaOf } from '../../runtime/snapshot.ts';

export interface TaskCase {
  readonly why: string;
  readonly model: string;
  readonly asked: JsonObject;
  readonly path: string;
  readonly requests: readonly JsonObject[];
  readonly answers: readonly { readonly headers?: Record<string, string>; readonly body: JsonObject }[];
  readonly dropped: readonly string[];
  readonly answered: { readonly vectors?: readonly number[][]; readonly tokens?: number; readonly results?: unknown };
}

export interface TaskFixture {
  readonly source: string;
  readonly kind: string;
  /** Of the provider; `{upstream}` stands for the address of the scripted vendor. */
  readonly options: JsonObject;
  readonly cases: readonly TaskCase[];
}

const folder = new URL('../fixtures/tasks/', import.meta.url);

export const namesOfTranslatedTasks = (): readonly string[] =>
  readdirSync(folder)
    .map((file) => file.replace(/\.json$/, ''))
    .toSorted();

export const taskFixture = (name: string): TaskFixture =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as TaskFixture;

export const withUpstream = (options: JsonObject, url: string): JsonObject =>
  JSON.parse(JSON.stringify(options).replaceAll('{upstream}', url)) as JsonObject;

/** The operations that a kind is asked for. */
export function tasksOf(kind: ProviderKind | undefined, options: JsonObject): readonly VendorTask[] {
  const parsed = (kind && schemaOf(kind.options))?.parse(withUpstream(options, 'http://127.0.0.1:1'));
  return (kind?.connect(parsed, () => 'key-of-test').tasks ?? []).map(({ task }) => task);
}
