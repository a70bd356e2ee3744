/**
 * How a vendor that speaks the Responses API differs from OpenAI, as data, under the same rules as `openai-chat/quirks.ts`: a
 * translated call is written without what the vendor lacks and that is reported, and the body of a client that speaks the dialect
 * itself gets only what loses nothing.
 */
import type { Call, Json, JsonObject, Message, Part } from '../../call.ts';
import { withDigitsOf } from '../exact-json.ts';
import { isList, isObject, isSet, objectIn } from '../json-fields.ts';

export interface Quirks {
  /** There is no `user`. */
  readonly user?: false;
  /** The only words for reasoning effort that it takes. */
  readonly efforts?: readonly string[];
  /** It takes no answer format that only says JSON. */
  readonly jsonObject?: false;
  /** There is no `include`. */
  readonly include?: false;
  /** `{ name }` says which tool to call, without a type. Put so in a client's own body too. */
  readonly namedTool?: 'untyped';
  /** Where the format of the answer goes. Absent: `text.format`. Put there in a client's own body too. */
  readonly answerFormat?: 'response_format';
  /** Images have no `detail`: `auto`, which says nothing, is taken out of a client's own body too. */
  readonly imageDetail?: false;
  /** What an assistant said and what a tool gave back is text only, in one piece. */
  readonly history?: 'text';
  /** Fields that stand for the id of a model; what a client's own body says besides `model` goes first. */
  readonly standIns?: Readonly<Record<string, JsonObject>>;
}

/** What of a call this vendor's model takes; `dropped` hears of the rest. */
export function narrowed(call: Call, quirks: Quirks, dropped: Set<string>): Call {
  const left: { -readonly [Key in keyof Call]: Call[Key] } = { ...call };
  const leaveOut = (key: 'user' | 'reasoningEffort' | 'answerFormat', label: string): void => {
    if (left[key] !== undefined) dropped.add(label);
    delete left[key];
  };
  if (quirks.user === false) leaveOut('user', 'user');
  if (quirks.efforts?.includes(call.reasoningEffort ?? '') === false) leaveOut('reasoningEffort', 'reasoning_effort');
  if (quirks.jsonObject === false && call.answerFormat?.type === 'json') leaveOut('answerFormat', 'response_format');
  return { ...left, messages: call.messages.map((message) => narrowedMessage(message, quirks, dropped)) };
}

function narrowedMessage(message: Message, quirks: Quirks, dropped: Set<string>): Message {
  const parts = message.parts.map((part) => withoutDetail(part, quirks, dropped));
  if (quirks.history !== 'text') return { ...message, parts };
  if (message.role === 'assistant') return { ...message, parts: inOnePiece(parts, dropped) };
  if (message.role !== 'tool') return { ...message, parts };
  return { ...message, parts: parts.filter((part) => part.type === 'tool_result' || leftOut(part, dropped)) };
}

function withoutDetail(part: Part, quirks: Quirks, dropped: Set<string>): Part {
  if (part.type !== 'image' || part.detail === undefined || quirks.imageDetail !== false) return part;
  if (part.detail !== 'auto') dropped.add('image.detail');
  return { type: 'image', url: part.url };
}

function inOnePiece(parts: readonly Part[], dropped: Set<string>): readonly Part[] {
  const pieces: Part[] = [];
  for (const part of parts) {
    const last = pieces.at(-1);
    if (part.type === 'text' && last?.type === 'text')
      pieces[pieces.length - 1] = { type: 'text', text: last.text + part.text };
    else if (part.type !== 'refusal' || leftOut(part, dropped)) pieces.push(part);
  }
  return pieces;
}

function leftOut(part: Part, dropped: Set<string>): boolean {
  dropped.add(part.type === 'opaque' ? part.label : part.type);
  return false;
}

/** Any body in the words of this vendor: the same request under the names that it knows. */
export function inVendorsWords(body: JsonObject, quirks: Quirks): JsonObject {
  const standIn = typeof body.model === 'string' ? quirks.standIns?.[body.model] : undefined;
  const worded: Record<string, Json | undefined> = { ...standIn, ...body, model: standIn?.['model'] ?? body.model };
  const choice = body.tool_choice;
  if (quirks.namedTool === 'untyped' && isObject(choice) && choice.type === 'function') {
    const { type: _, ...named } = choice;
    worded.tool_choice = named;
  }
  if (quirks.answerFormat === 'response_format') moveFormat(worded);
  if (quirks.imageDetail === false && isList(body.input))
    worded.input = body.input.map((item) =>
      isObject(item) && isList(item.content) ? { ...item, content: item.content.map(withoutAuto) } : item,
    );
  return withDigitsOf(body, worded);
}

/** The same shape as in chat completions. A client that wrote `response_format` itself is left with what it wrote. */
function moveFormat(worded: Record<string, Json | undefined>): void {
  const text = isObject(worded.text) ? worded.text : undefined;
  const format = objectIn(text, 'format');
  if (text === undefined || format === undefined || isSet(worded.response_format)) return;
  const { format: _, ...others } = text;
  const { type, ...schema } = format;
  worded.text = Object.keys(others).length > 0 ? others : undefined;
  // Text is what it answers with anyway.
  if (type !== 'text') worded.response_format = type === 'json_schema' ? { type, json_schema: schema } : format;
}

function withoutAuto(part: Json): Json {
  if (!isObject(part) || part.type !== 'input_image' || part.detail !== 'auto') return part;
  const { detail: _, ...image } = part;
  return image;
}
