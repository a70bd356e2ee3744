/** Writes neutral messages as input items of the Responses API. */
import type { Json, JsonObject, Message, Part } from '../../call.ts';
import { withoutUndefined } from '../json-fields.ts';
import { writeReasoning } from './reasoning.ts';

/** One message may need several: each call, each output and each piece of reasoning is an item of its own here. */
export function writeItems(message: Message, dropped: Set<string>): readonly JsonObject[] {
  if (message.name !== undefined) dropped.add('messages.name');
  if (message.role === 'assistant') return writeTurn(message.parts, dropped);
  const outputs = message.parts.filter((part) => part.type === 'tool_result');
  const rest = message.parts.filter((part) => part.type !== 'tool_result');
  const [only, ...others] = outputs;
  // What a tool shows beside its text has a place in its output, as long as it is clear whose it is.
  if (message.role === 'tool' && only && others.length === 0) return [writeOutput(only, rest, dropped)];
  const written = outputs.map((output) => writeOutput(output, [], dropped));
  const content = writeContent(rest, dropped);
  if (rest.length > 0 && content.length > 0)
    written.push({ role: message.role === 'system' ? 'system' : 'user', content: plain(content) });
  return written;
}

type Output = Extract<Part, { type: 'tool_result' }>;

function writeOutput({ callId, text, isError }: Output, shown: readonly Part[], dropped: Set<string>): JsonObject {
  if (isError === true) dropped.add('tool_result.is_error');
  const content = writeContent(shown, dropped);
  const words = text === '' ? [] : [{ type: 'input_text', text }];
  return { type: 'function_call_output', call_id: callId, output: content.length > 0 ? [...words, ...content] : text };
}

/** What the assistant said stays in the order it was said in. */
function writeTurn(parts: readonly Part[], dropped: Set<string>): readonly JsonObject[] {
  const items: JsonObject[] = [];
  let said: JsonObject[] = [];
  const endMessage = () => {
    if (said.length > 0) items.push({ role: 'assistant', content: plain(said) });
    said = [];
  };
  for (const part of parts) {
    if (part.type === 'text') said.push({ type: 'output_text', text: part.text });
    else if (part.type === 'refusal') said.push({ type: 'refusal', refusal: part.text });
    else if (part.type === 'tool_call') {
      endMessage();
      items.push({ type: 'function_call', call_id: part.id, name: part.name, arguments: part.arguments });
    } else if (part.type === 'reasoning') {
      endMessage();
      const reasoning = writeReasoning(part);
      if (reasoning === undefined) dropped.add('reasoning');
      else items.push(reasoning);
    } else dropped.add(labelOf(part));
  }
  endMessage();
  return items;
}

const labelOf = (part: Part): string => (part.type === 'opaque' ? part.label : part.type);

function writeContent(parts: readonly Part[], dropped: Set<string>): readonly JsonObject[] {
  return parts.flatMap((part): JsonObject[] => {
    if (part.type === 'text') return [{ type: 'input_text', text: part.text }];
    if (part.type === 'image') {
      // `detail` is no optional field here (openai SDK, `ResponseInputImage`).
      return [{ type: 'input_image', image_url: part.url, detail: part.detail ?? 'auto' }];
    }
    dropped.add(labelOf(part));
    return [];
  });
}

/** A lone text as a plain string, which every server of this API takes. */
function plain(content: readonly JsonObject[]): Json {
  const [first] = content;
  const isText = first?.type === 'input_text' || first?.type === 'output_text';
  return content.length === 1 && isText ? (first.text ?? '') : content.map((part) => withoutUndefined(part));
}
