/** Writes the neutral call as a Responses API request, and applies the gateway's edits to a native one. */
import { gathered, type AnswerFormat, type Call, type Json, type JsonObject, type Tool } from '../../call.ts';
import type { BodyEdits } from '../dialect.ts';
import { isList, isSet, withoutUndefined } from '../json-fields.ts';
import { reasons } from './model-traits.ts';
import { isForeign } from './reasoning.ts';
import { writeItems } from './write-items.ts';

/** "Expected a value >= 16" is a 400 for anything below (openai error `integer_below_min_value`; pi#6265, hindsight#58). */
const leastOutputTokens = 16;

export function writeCall(
  call: Call,
  options: { readonly model: string },
): { readonly body: JsonObject; readonly dropped: readonly string[] } {
  const dropped = new Set(call.untranslated);
  const { messages } = gathered(call);
  // Neither exists here (openai SDK, `ResponseCreateParamsBase`).
  if (call.stop !== undefined) dropped.add('stop');
  if (call.seed !== undefined) dropped.add('seed');
  const canReason = reasons(options.model);
  const body = withoutUndefined<JsonObject>({
    model: options.model,
    input: messages.flatMap((message) => writeItems(message, dropped)),
    stream: call.stream ? true : undefined,
    // Left out it means true, and nobody who speaks another API asked for that.
    store: false,
    // What the model thought can then be sent back with the outputs of its calls, though nothing is stored.
    include: canReason ? ['reasoning.encrypted_content'] : undefined,
    tools: call.tools.length > 0 ? call.tools.map(writeTool) : undefined,
    tool_choice: typeof call.toolChoice === 'object' ? { type: 'function', ...call.toolChoice } : call.toolChoice,
    parallel_tool_calls: call.parallelToolCalls,
    max_output_tokens: writeMaxOutputTokens(call, dropped),
    ...writeSampling(call, canReason, dropped),
    text: call.answerFormat && { format: writeFormat(call.answerFormat) },
    reasoning: call.reasoningEffort === undefined ? undefined : { effort: call.reasoningEffort },
    user: call.user,
  });
  return { body, dropped: [...dropped] };
}

function writeMaxOutputTokens({ maxOutputTokens }: Call, dropped: Set<string>): number | undefined {
  if (maxOutputTokens === undefined || maxOutputTokens >= leastOutputTokens) return maxOutputTokens;
  dropped.add('max_output_tokens');
  return leastOutputTokens;
}

/** Models that reason answer 400 to both, unless they are told not to (developers.openai.com, "latest model", parameter compatibility). */
function writeSampling(call: Call, canReason: boolean, dropped: Set<string>): JsonObject {
  const { temperature, topP } = call;
  if (!canReason || call.reasoningEffort === 'none') return { temperature, top_p: topP };
  if (temperature !== undefined) dropped.add('temperature');
  if (topP !== undefined) dropped.add('top_p');
  return {};
}

function writeTool({ name, description, parameters, strict = false }: Tool): JsonObject {
  // Left out, `strict` means true here and false everywhere else.
  return withoutUndefined<JsonObject>({ type: 'function', name, description, parameters, strict });
}

function writeFormat(format: AnswerFormat): JsonObject {
  if (format.type !== 'json_schema') return { type: format.type === 'json' ? 'json_object' : 'text' };
  const { name, schema, strict } = format;
  return withoutUndefined<JsonObject>({ type: 'json_schema', name, schema, strict });
}

export function rewrite(body: JsonObject, edits: BodyEdits): JsonObject {
  const rewritten: Record<string, Json | undefined> = { ...body, model: edits.model };
  const { instructions, examples } = splitPrompt(edits);
  // Not as items: a vendor that keeps the conversation would find them in it again with each turn.
  if (instructions.length > 0) {
    const own = typeof body.instructions === 'string' && body.instructions !== '' ? [body.instructions] : [];
    rewritten.instructions = [...instructions, ...own].join('\n\n');
  }
  const { input } = body;
  const hasForeign = isList(input) && input.some(isForeign);
  if (examples.length > 0 || edits.keep !== undefined || hasForeign) {
    const items = isList(input) ? input : isSet(input) ? [{ role: 'user', content: input }] : [];
    const kept = edits.keep?.flatMap((index) => items[index] ?? []) ?? items;
    rewritten.input = [...examples, ...kept.filter((item) => !isForeign(item))];
  }
  return rewritten;
}

/** A prompt's instructions, and the messages it goes on with. */
function splitPrompt({ prepend }: BodyEdits): {
  readonly instructions: readonly string[];
  readonly examples: readonly JsonObject[];
} {
  const instructions: string[] = [];
  const examples: JsonObject[] = [];
  for (const message of prepend) {
    const texts = message.parts.flatMap((part) => (part.type === 'text' ? part.text : []));
    if (message.role === 'system' && examples.length === 0) instructions.push(...texts);
    else examples.push(...writeItems(message, new Set()));
  }
  return { instructions, examples };
}
