/** Writes the neutral call as a request of Anthropic's Messages API. */
import type { Call, Json, JsonObject, Tool } from '../../call.ts';
import { isList, isObject, withoutUndefined } from '../json-fields.ts';
import { modelTraits, type ModelTraits } from './model-traits.ts';
import { writeMessages } from './write-messages.ts';

/** The API demands a cap; this one is within every model's limit. */
const fallbackMaxTokens = 4096;

export function writeCall(
  call: Call,
  options: { readonly model: string; readonly maxOutputTokens?: number },
): { readonly body: JsonObject; readonly dropped: readonly string[] } {
  const dropped = new Set(call.untranslated);
  const traits = modelTraits(options.model);
  const { system, messages } = writeMessages(call.messages, dropped);
  if (call.seed !== undefined) dropped.add('seed');
  const body = withoutUndefined<JsonObject>({
    model: options.model,
    max_tokens: call.maxOutputTokens ?? options.maxOutputTokens ?? fallbackMaxTokens,
    system: system.length > 0 ? system : undefined,
    messages,
    stream: call.stream ? true : undefined,
    ...writeSampling(call, traits, dropped),
    stop_sequences: writeStop(call, dropped),
    tools: call.tools.length > 0 ? call.tools.map((tool) => writeTool(tool, traits, dropped)) : undefined,
    tool_choice: writeToolChoice(call, dropped),
    output_config: writeOutputConfig(call, traits, dropped),
    metadata: writeMetadata(call, dropped),
  });
  return { body, dropped: [...dropped] };
}

function writeSampling(call: Call, traits: ModelTraits, dropped: Set<string>): JsonObject {
  const { temperature, topP } = call;
  if (!traits.sampling) {
    if (temperature !== undefined) dropped.add('temperature');
    if (topP !== undefined) dropped.add('top_p');
    return {};
  }
  // Since 4.1 both at once are a 400: "cannot both be specified for this model" (litellm#15097).
  if (temperature !== undefined && topP !== undefined) dropped.add('top_p');
  // The range here is 0 to 1, OpenAI's 0 to 2 (anthropic SDK, messages.ts, `temperature`).
  if (temperature !== undefined && temperature > 1) dropped.add('temperature');
  return {
    temperature: temperature === undefined ? undefined : Math.min(temperature, 1),
    top_p: temperature === undefined ? topP : undefined,
  };
}

function writeStop(call: Call, dropped: Set<string>): readonly string[] | undefined {
  // "each stop sequence must contain non-whitespace" is a 400.
  const stop = call.stop?.filter((sequence) => sequence.trim() !== '');
  if (stop?.length !== call.stop?.length) dropped.add('stop');
  return stop !== undefined && stop.length > 0 ? stop : undefined;
}

function writeTool(tool: Tool, traits: ModelTraits, dropped: Set<string>): JsonObject {
  if (tool.strict === true && !traits.structuredOutput) dropped.add('tools.strict');
  return withoutUndefined<JsonObject>({
    name: tool.name,
    description: tool.description,
    // `type: object` is required here, and optional in JSON Schema.
    input_schema: { ...tool.parameters, type: 'object' },
    strict: tool.strict === true && traits.structuredOutput ? true : undefined,
  });
}

function writeToolChoice(call: Call, dropped: Set<string>): JsonObject | undefined {
  const { toolChoice, parallelToolCalls } = call;
  if (call.tools.length === 0) {
    if (typeof toolChoice === 'object' || toolChoice === 'required') dropped.add('tool_choice');
    return undefined;
  }
  if (toolChoice === 'none') return { type: 'none' };
  const single = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  if (typeof toolChoice === 'object') return { type: 'tool', name: toolChoice.name, ...single };
  if (toolChoice === 'required') return { type: 'any', ...single };
  return toolChoice === 'auto' || parallelToolCalls === false ? { type: 'auto', ...single } : undefined;
}

function writeOutputConfig(call: Call, traits: ModelTraits, dropped: Set<string>): JsonObject | undefined {
  const config: Record<string, Json> = {};
  const format = call.answerFormat;
  if (format?.type === 'json_schema' && traits.structuredOutput) {
    config.format = { type: 'json_schema', schema: closeObjects(format.schema) };
  } else if (format !== undefined && format.type !== 'text') dropped.add('response_format');
  if (call.reasoningEffort !== undefined) {
    const effort = call.reasoningEffort === 'minimal' ? 'low' : call.reasoningEffort;
    if (traits.effort.has(effort)) config.effort = effort;
    else dropped.add('reasoning_effort');
  }
  return Object.keys(config).length > 0 ? config : undefined;
}

/**
 * Every object of the schema must say `additionalProperties: false` (platform.claude.com, "structured outputs"). Where
 * it says nothing, closing it only narrows the answer: what fits the closed schema fits the client's too.
 */
function closeObjects(schema: JsonObject): JsonObject {
  const closed = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'properties' || key === '$defs' || key === 'definitions') return [key, closeEach(value)];
      if (key === 'items' && isObject(value)) return [key, closeObjects(value)];
      const isUnion = key === 'anyOf' || key === 'oneOf' || key === 'allOf';
      return [
        key,
        isUnion && isList(value) ? value.map((each) => (isObject(each) ? closeObjects(each) : each)) : value,
      ];
    }),
  );
  return schema.type === 'object' && schema.additionalProperties === undefined
    ? { ...closed, additionalProperties: false }
    : closed;
}

function closeEach(schemas: Json | undefined): Json | undefined {
  if (!isObject(schemas)) return schemas;
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, isObject(schema) ? closeObjects(schema) : schema]),
  );
}

/** `metadata.user_id` must be opaque: the API refuses what looks like an e-mail address or a telephone number. */
function writeMetadata(call: Call, dropped: Set<string>): JsonObject | undefined {
  if (call.user === undefined) return undefined;
  const isOpaque = call.user.length <= 256 && !call.user.includes('@') && !/^\+?[\d\s().-]{7,}$/.test(call.user);
  if (isOpaque) return { user_id: call.user };
  dropped.add('user');
  return undefined;
}
