/** Writes the neutral call as an OpenAI chat completion request, and applies the gateway's edits to a native one. */
import type { AnswerFormat, Call, Json, JsonObject, Message, Part, Tool, ToolChoice } from '../../call.ts';
import type { BodyEdits } from '../dialect.ts';
import { isList, isObject, withoutUndefined } from '../json-fields.ts';
import { toolsFor, withoutLacks, type Quirks } from './quirks.ts';

/** What a message is written with: the vendor's ways, and who hears of what they cannot carry. */
interface Writing {
  readonly quirks: Quirks;
  readonly dropped: Set<string>;
}

export function rewrite(body: JsonObject, edits: BodyEdits): JsonObject {
  const rewritten: Record<string, Json | undefined> = { ...body, model: edits.model };
  const messages = isList(body.messages) ? body.messages : [];
  if (edits.prepend.length > 0 || edits.keep !== undefined) {
    const kept = edits.keep?.flatMap((index) => messages[index] ?? []) ?? messages;
    const writing = { quirks: {}, dropped: new Set<string>() };
    rewritten.messages = [...edits.prepend.flatMap((message) => writeMessage(message, writing)), ...kept];
  }
  if (edits.streamUsage && body.stream === true) {
    const options = isObject(body.stream_options) ? body.stream_options : {};
    rewritten.stream_options = { ...options, include_usage: true };
  }
  return rewritten;
}

export function writeCall(
  given: Call,
  options: { readonly model: string },
  quirks: Quirks = {},
): { readonly body: JsonObject; readonly dropped: readonly string[] } {
  const dropped = new Set(given.untranslated);
  const call = withoutLacks(given, options.model, quirks, dropped);
  const { tools, toolChoice } = toolsFor(call, quirks);
  const body = withoutUndefined<JsonObject>({
    model: options.model,
    messages: withResultsTogether(call.messages).flatMap((message) => writeMessage(message, { quirks, dropped })),
    stream: call.stream ? true : undefined,
    stream_options: call.stream ? { include_usage: true } : undefined,
    tools: tools.length > 0 ? tools.map(writeTool) : undefined,
    tool_choice: writeToolChoice(toolChoice),
    parallel_tool_calls: call.parallelToolCalls,
    // The one name that OpenAI's reasoning models accept; `max_tokens` is deprecated (openai SDK, completions.d.ts).
    max_completion_tokens: call.maxOutputTokens,
    temperature: call.temperature,
    top_p: call.topP,
    stop: call.stop,
    seed: call.seed,
    response_format: writeAnswerFormat(call.answerFormat, quirks),
    reasoning_effort: call.reasoningEffort,
    user: call.user,
  });
  return { body, dropped: [...dropped] };
}

function writeTool(tool: Tool): JsonObject {
  return { type: 'function', function: withoutUndefined<JsonObject>({ ...tool }) };
}

function writeToolChoice(choice: ToolChoice | undefined): Json | undefined {
  return typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice;
}

function writeAnswerFormat(format: AnswerFormat | undefined, quirks: Quirks): JsonObject | undefined {
  if (format === undefined) return undefined;
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json') return { type: 'json_object' };
  const { name, schema, strict } = format;
  if (quirks.answerSchema === 'json_object') return { type: 'json_object', schema };
  return { type: 'json_schema', json_schema: withoutUndefined<JsonObject>({ name, schema, strict }) };
}

/** All results of a turn follow it at once: what one of them shows beside its text is told after the last. */
function withResultsTogether(messages: readonly Message[]): readonly Message[] {
  const together: Message[] = [];
  for (const message of messages) {
    const last = together.at(-1);
    if (message.role === 'tool' && last?.role === 'tool')
      together[together.length - 1] = { ...last, parts: [...last.parts, ...message.parts] };
    else together.push(message);
  }
  return together;
}

/** One neutral message may need several: each tool result is a message of its own here. */
function writeMessage(message: Message, writing: Writing): readonly JsonObject[] {
  const { dropped } = writing;
  const results = message.parts.filter((part) => part.type === 'tool_result');
  const rest = message.parts.filter((part) => part.type !== 'tool_result');
  const written: JsonObject[] = results.map((result) => {
    if (result.isError === true) dropped.add('tool_result.is_error');
    return { role: 'tool', tool_call_id: result.callId, content: result.text };
  });
  // A turn of which nothing can be told, such as a search that its vendor made: an empty message would be a 400.
  const isTurn = message.role === 'assistant' || message.role === 'tool';
  if (isTurn && message.parts.length > 0 && rest.every(isForeign)) reportOpaque(rest, dropped);
  else if (message.role === 'assistant') written.push(writeAssistant(message, rest, writing));
  else {
    const role = message.role === 'system' ? 'system' : 'user';
    written.push(named(message, { role, content: writeContent(role, rest, dropped) }));
  }
  return written;
}

const isForeign = ({ type }: Part): boolean => type === 'opaque' || type === 'reasoning';

function named(message: Message, written: JsonObject): JsonObject {
  return message.name === undefined ? written : { ...written, name: message.name };
}

function writeAssistant(message: Message, parts: readonly Part[], { quirks, dropped }: Writing): JsonObject {
  const refusal = parts.flatMap((part) => (part.type === 'refusal' ? part.text : []));
  const calls = parts.flatMap((part) =>
    part.type === 'tool_call'
      ? { id: part.id, type: 'function', function: { name: part.name, arguments: part.arguments } }
      : [],
  );
  const field = quirks.earlierReasoning;
  const reasoning = field && parts.flatMap((part) => (part.type === 'reasoning' ? part.text : [])).join('');
  const content = parts.filter(
    ({ type }) => type !== 'refusal' && type !== 'tool_call' && !(type === 'reasoning' && reasoning),
  );
  return named(
    message,
    withoutUndefined<JsonObject>({
      role: 'assistant',
      content: content.some((part) => part.type === 'text')
        ? writeContent('assistant', content, dropped)
        : reportOpaque(content, dropped),
      ...(field && reasoning ? { [field]: reasoning } : {}),
      refusal: refusal.length > 0 ? refusal.join('') : undefined,
      tool_calls: calls.length > 0 ? calls : undefined,
    }),
  );
}

/** A lone text as the plain string every compatible vendor takes; an array of parts otherwise. */
function writeContent(role: 'system' | 'user' | 'assistant', parts: readonly Part[], dropped: Set<string>): Json {
  const written = parts.flatMap((part): JsonObject[] => {
    if (part.type === 'text') return [{ type: 'text', text: part.text }];
    if (part.type === 'image' && role === 'user') {
      return [{ type: 'image_url', image_url: withoutUndefined<JsonObject>({ url: part.url, detail: part.detail }) }];
    }
    dropped.add(part.type === 'opaque' ? part.label : part.type);
    return [];
  });
  const [first] = written;
  if (first === undefined) return '';
  return written.length === 1 && first.type === 'text' ? (first.text ?? '') : written;
}

/** Content that has no text left is `null`; what stood there is reported. */
function reportOpaque(parts: readonly Part[], dropped: Set<string>): null {
  for (const part of parts) dropped.add(part.type === 'opaque' ? part.label : part.type);
  return null;
}
