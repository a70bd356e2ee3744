/**
 * The fixtures of provider kinds, `test/fixtures/providers/<kind>/`: what a vendor documents or was recorded to send, and
 * what must be understood of it.
 *
 * - `kind.json`: where the shapes come from, the options of the provider, and what a request must arrive with
 * - `requests.json`: `request.json` of the folder above as this vendor gets it, translated and (where the dialect is its own) native
 * - `unary.json`, `tools.json`: whole answers, a text and calls of tools
 * - `stream.txt`, `tools-stream.txt`: the same as streams; `.hex` in place of `.txt` where a stream is no text
 * - `errors.json`: refusals, each with what it means
 * - `expected.json`: what the four answers say
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { AnswerEvent, Answer, FailureKind, Finish, JsonObject, Usage } from '../../runtime/call.ts';

const folder = new URL('../fixtures/providers/', import.meta.url);

export interface AboutKind {
  readonly source: string;
  readonly model: string;
  /** Where a request must arrive; `streamPath` for streams where that differs. */
  readonly path: string;
  readonly streamPath?: string;
  /** Content type of streams, where they are no server-sent events. */
  readonly streamType?: string;
  /** Headers that a request must arrive with. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the provider; `{upstream}` stands for the address of the scripted vendor. */
  readonly options: JsonObject;
}

export interface Requests {
  readonly translated: { readonly body: JsonObject; readonly dropped: readonly string[] };
  /** Present where one of its APIs is of the dialect of `request.json`. */
  readonly native?: JsonObject;
}

export interface Said {
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly { readonly name: string; readonly arguments: string }[];
  readonly finish?: Finish;
  readonly usage?: Usage;
}

export interface Refusal {
  readonly why: string;
  readonly status: number;
  /** `null` where it is no JSON. */
  readonly body: JsonObject | null;
  readonly kind: FailureKind;
}

export const shapeNames = ['unary', 'stream', 'tools', 'toolsStream'] as const;
export type ShapeName = (typeof shapeNames)[number];

const ownFiles = ['kind.json', 'requests.json'];
const shapeFiles = ['unary.json', 'stream', 'tools.json', 'tools-stream', 'errors.json', 'expected.json'];
const streams: Readonly<Partial<Record<ShapeName, string>>> = { stream: 'stream', toolsStream: 'tools-stream' };

const at = (kind: string, file: string): URL => new URL(`${kind}/${file}`, folder);
const isThere = (kind: string, file: string): boolean =>
  file.includes('.')
    ? existsSync(at(kind, file))
    : existsSync(at(kind, `${file}.txt`)) || existsSync(at(kind, `${file}.hex`));
const read = <T>(kind: string, file: string): T => JSON.parse(readFileSync(at(kind, file), 'utf8')) as T;

/** The files that a kind lacks; `shared` when another kind's shapes are declared to be its own. */
export const missingFiles = (kind: string, shared: boolean): readonly string[] =>
  [...ownFiles, ...(shared ? [] : shapeFiles)].filter((file) => !isThere(kind, file));
export const hasShapes = (kind: string): boolean => shapeFiles.some((file) => isThere(kind, file));
export const kindsWithFixtures = (): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

export const request = JSON.parse(readFileSync(new URL('request.json', folder), 'utf8')) as JsonObject;
export const aboutKind = (kind: string): AboutKind => read(kind, 'kind.json');
export const requestsTo = (kind: string): Requests => read(kind, 'requests.json');
export const refusalsOf = (kind: string): readonly Refusal[] => read(kind, 'errors.json');
export const expectedOf = (kind: string): Readonly<Record<ShapeName, Said>> => read(kind, 'expected.json');

/** What the vendor sends, byte for byte. */
export function bytesOf(kind: string, shape: ShapeName): Buffer {
  const stream = streams[shape];
  if (stream === undefined) return readFileSync(at(kind, `${shape}.json`));
  const isText = existsSync(at(kind, `${stream}.txt`));
  return isText
    ? readFileSync(at(kind, `${stream}.txt`))
    : Buffer.from(readFileSync(at(kind, `${stream}.hex`), 'utf8').replaceAll(/\s/g, ''), 'hex');
}

const whenSaid = (said: { text: string; reasoning: string; calls: { name: string; arguments: string }[] }): Said => ({
  ...(said.text && { text: said.text }),
  ...(said.reasoning && { reasoning: said.reasoning }),
  ...(said.calls.length > 0 && { calls: said.calls }),
});

export function saidIn({ parts, finish, usage }: Answer): Said {
  const texts = (type: 'text' | 'reasoning') => parts.map((part) => (part.type === type ? part.text : '')).join('');
  const calls = parts.flatMap((part) =>
    part.type === 'tool_call' ? [{ name: part.name, arguments: part.arguments }] : [],
  );
  return {
    ...whenSaid({ text: texts('text'), reasoning: texts('reasoning'), calls }),
    finish,
    ...(usage && { usage }),
  };
}

export function saidInStream(events: readonly AnswerEvent[]): Said & { readonly ended: boolean } {
  const said = { text: '', reasoning: '', calls: [] as { name: string; arguments: string }[] };
  let last: Said = {};
  let ended = false;
  for (const event of events) {
    if (event.type === 'text' || event.type === 'reasoning') said[event.type] += event.text;
    if (event.type === 'tool_call') said.calls[event.index] = { name: event.name, arguments: '' };
    if (event.type === 'tool_arguments') {
      const call = said.calls[event.index];
      if (call) call.arguments += event.text;
    }
    if (event.type === 'finish') last = { ...last, finish: event.finish };
    if (event.type === 'usage') last = { ...last, usage: event.usage };
    if (event.type === 'end') ended = true;
  }
  return { ...whenSaid(said), ...last, ended };
}
