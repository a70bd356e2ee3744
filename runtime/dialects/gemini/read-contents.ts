/** Reads the contents of a generateContent request as neutral messages, one for each. */
import type { Json, JsonObject, Message, Part, Role } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { writeExact } from '../exact-json.ts';
import { isObject, isSet, withoutUndefined } from '../json-fields.ts';
import {
  camelCase,
  demandList,
  demandObject,
  listField,
  objectField,
  reportable,
  reportOthers,
  textField,
} from './fields.ts';
import { unsigned } from './signature.ts';

/** `function` is the older word for a turn of function responses; SDKs still know it. */
const roles = new Map<Json | undefined, Role>([
  [undefined, 'user'],
  ['user', 'user'],
  ['model', 'assistant'],
  ['function', 'tool'],
]);

const carriedByContent = new Set(['role', 'parts']);
const carriedByPart = new Set(['text', 'thought', 'functionCall', 'functionResponse', 'inlineData', 'fileData']);
/** What stands beside a part's content: not what makes it a part. */
const besideContent = new Set([
  'thought',
  'thoughtSignature',
  'mediaResolution',
  'videoMetadata',
  'partMetadata',
  'mediaProcessing',
  'speechMetadata',
]);

/** Calls that still wait for their response, oldest first: in this API a response may name its call by the name alone. */
type OpenCalls = { readonly id: string; readonly name: string }[];

interface Reading {
  readonly untranslated: Set<string>;
  readonly open: OpenCalls;
}

export function readContents(contents: readonly Json[], untranslated: Set<string>): readonly Message[] {
  const reading: Reading = { untranslated, open: [] };
  return contents.map((content, index) => {
    const place = `contents[${index}]`;
    if (!isObject(content)) throw new CallError(`${place} must be an object.`, place);
    const role = roles.get(content.role ?? undefined);
    if (role === undefined) throw new CallError(`${place}.role must be user or model.`, `${place}.role`);
    reportOthers(content, carriedByContent, (name) => untranslated.add(`contents.${name}`));
    const parts = demandList(content, 'parts', `${place}.parts`).flatMap((part, at) =>
      readPart(part, `${place}.parts[${at}]`, { ...reading, made: `call_${index}_${at}` }),
    );
    // Responses are sent by the user here, and are turns of their own elsewhere.
    const answers = role === 'user' && parts.some(({ type }) => type === 'tool_result');
    return { role: answers ? 'tool' : role, parts };
  });
}

export function readSystem(body: JsonObject, untranslated: Set<string>): readonly Part[] | undefined {
  const content = demandObject(body, 'systemInstruction', 'systemInstruction');
  if (!content) return undefined;
  const reading = { untranslated, open: [], made: 'call_system' };
  const parts = demandList(content, 'parts', 'systemInstruction.parts').flatMap((part, at) =>
    readPart(part, `systemInstruction.parts[${at}]`, reading),
  );
  return parts.length > 0 ? parts : undefined;
}

function readPart(part: Json, place: string, reading: Reading & { readonly made: string }): readonly Part[] {
  if (!isObject(part)) throw new CallError(`${place} must be an object.`, place);
  const kind = Object.keys(part).find((name) => isSet(part[name]) && !besideContent.has(camelCase(name)));
  if (kind === undefined) throw new CallError(`${place} must have content, such as text.`, place);
  const name = camelCase(kind);
  if (!carriedByPart.has(name)) return [{ type: 'opaque', label: reportable(kind) }];
  const isThought = name === 'text' && part.thought === true;
  reportOthers(part, carriedByPart, (other, value) => {
    const isLess = other === 'thoughtSignature' && (isThought || value === unsigned);
    if (!isLess) reading.untranslated.add(`contents.parts.${other}`);
  });
  if (name === 'text') return readText(part, place, isThought);
  const content = demandObject(part, name, `${place}.${name}`) ?? {};
  if (name === 'functionCall') return [readFunctionCall(content, `${place}.functionCall`, reading)];
  if (name === 'functionResponse') return readFunctionResponse(content, `${place}.functionResponse`, reading);
  return [name === 'inlineData' ? readInlineData(content, place) : readFileData(content, place)];
}

function readText(part: JsonObject, place: string, isThought: boolean): readonly Part[] {
  const { text } = part;
  if (typeof text !== 'string') throw new CallError(`${place}.text must be a string.`, `${place}.text`);
  if (!isThought) return [{ type: 'text', text }];
  return [withoutUndefined<Part>({ type: 'reasoning', text, signature: textField(part, 'thoughtSignature') })];
}

function readFunctionCall(called: JsonObject, place: string, reading: Reading & { readonly made: string }): Part {
  const name = demandName(called, place);
  const id = textField(called, 'id') || reading.made;
  reading.open.push({ id, name });
  const given = demandObject(called, 'args', `${place}.args`);
  return { type: 'tool_call', id, name, arguments: writeExact(given ?? {}) };
}

function readFunctionResponse(answered: JsonObject, place: string, reading: Reading): readonly Part[] {
  const name = demandName(answered, place);
  const id = textField(answered, 'id');
  const at = reading.open.findIndex((call) => (id ? call.id === id : call.name === name));
  const [call] = at < 0 ? [] : reading.open.splice(at, 1);
  const response = demandObject(answered, 'response', `${place}.response`) ?? {};
  const result: Part = { type: 'tool_result', callId: call?.id ?? (id || name), ...readResponse(response) };
  const shown = listField(answered, 'parts').map((part, index) => readShown(part, `${place}.parts[${index}]`));
  return [result, ...shown];
}

/** What a function shows beside its words (`@google/genai`, FunctionResponsePart). */
function readShown(part: Json, place: string): Part {
  const data = isObject(part) ? objectField(part, 'inlineData') : undefined;
  const read: Part | undefined = data && readInlineData(data, place);
  return read?.type === 'image' ? read : { type: 'opaque', label: 'functionResponse.parts' };
}

/** `output` and `error` are the words for what came of it; without them the whole is the output (`@google/genai`, FunctionResponse). */
function readResponse(response: JsonObject): { readonly text: string; readonly isError?: true } {
  const names = Object.keys(response);
  const textOf = (value: Json | undefined) => (typeof value === 'string' ? value : writeExact(value ?? null));
  if (names.length !== 1) return { text: textOf(response) };
  if (names[0] === 'output') return { text: textOf(response.output) };
  return names[0] === 'error' ? { text: textOf(response.error), isError: true } : { text: textOf(response) };
}

function demandName(object: JsonObject, place: string): string {
  const name = textField(object, 'name');
  if (!name) throw new CallError(`${place}.name must be a non-empty string.`, `${place}.name`);
  return name;
}

function readInlineData(data: JsonObject, place: string): Part {
  const bytes = textField(data, 'data');
  const type = textField(data, 'mimeType');
  if (bytes === undefined || type === undefined) {
    throw new CallError(`${place}.inlineData needs mimeType and data.`, `${place}.inlineData`);
  }
  return type.startsWith('image/')
    ? { type: 'image', url: `data:${type};base64,${bytes}` }
    : { type: 'opaque', label: 'inlineData' };
}

/** Of the files that only Google can read, elsewhere nothing is left but the report. */
function readFileData(data: JsonObject, place: string): Part {
  const url = textField(data, 'fileUri');
  if (url === undefined) {
    throw new CallError(`${place}.fileData.fileUri must be a string.`, `${place}.fileData.fileUri`);
  }
  const isImage = textField(data, 'mimeType')?.startsWith('image/') === true;
  const isOpen = /^https:\/\//i.test(url) && !/^https:\/\/[^/]*\bgoogleapis\.com\/v1\w*\/files\//i.test(url);
  return isImage && isOpen ? { type: 'image', url } : { type: 'opaque', label: 'fileData' };
}
