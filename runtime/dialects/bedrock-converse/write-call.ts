/** Writes the neutral call as a request of the Converse API; `model` and `stream` become its path. */
import type { Call, JsonObject, Tool } from '../../call.ts';
import { withoutUndefined } from '../json-fields.ts';
import { writeMessages } from './write-messages.ts';

export function writeCall(
  call: Call,
  options: { readonly model: string; readonly maxOutputTokens?: number },
): { readonly body: JsonObject; readonly dropped: readonly string[] } {
  const dropped = new Set(call.untranslated);
  const { system, messages } = writeMessages(call.messages, dropped);
  if (call.seed !== undefined) dropped.add('seed');
  if (call.user !== undefined) dropped.add('user');
  // Both depend on the model behind the API, as fields of its own (`additionalModelRequestFields`).
  if (call.answerFormat !== undefined && call.answerFormat.type !== 'text') dropped.add('response_format');
  if (call.reasoningEffort !== undefined) dropped.add('reasoning_effort');
  const body = withoutUndefined<JsonObject>({
    model: options.model,
    stream: call.stream ? true : undefined,
    system: system.length > 0 ? system : undefined,
    messages,
    inferenceConfig: writeInference(call, options.maxOutputTokens, dropped),
    toolConfig: writeTools(call, dropped),
  });
  return { body, dropped: [...dropped] };
}

/** docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html */
function writeInference(call: Call, cap: number | undefined, dropped: Set<string>): JsonObject | undefined {
  const { temperature } = call;
  // The range here is 0 to 1, OpenAI's 0 to 2.
  if (temperature !== undefined && temperature > 1) dropped.add('temperature');
  const inference = withoutUndefined<JsonObject>({
    maxTokens: call.maxOutputTokens ?? cap,
    temperature: temperature === undefined ? undefined : Math.min(temperature, 1),
    topP: call.topP,
    stopSequences: call.stop !== undefined && call.stop.length > 0 ? call.stop : undefined,
  });
  return Object.keys(inference).length > 0 ? inference : undefined;
}

const usesTools = ({ messages }: Call): boolean =>
  messages.some(({ parts }) => parts.some(({ type }) => type === 'tool_call' || type === 'tool_result'));

/** API_runtime_ToolConfiguration.html: there is no choice of none, and no switch for parallel calls. */
function writeTools(call: Call, dropped: Set<string>): JsonObject | undefined {
  const { tools, toolChoice } = call;
  if (tools.length === 0) {
    if (typeof toolChoice === 'object' || toolChoice === 'required') dropped.add('tool_choice');
    return undefined;
  }
  // Tools must be declared where messages speak of their use.
  if (toolChoice === 'none' && !usesTools(call)) return undefined;
  if (toolChoice === 'none') dropped.add('tool_choice');
  if (call.parallelToolCalls === false) dropped.add('parallel_tool_calls');
  return withoutUndefined<JsonObject>({
    tools: tools.map((tool) => writeTool(tool, dropped)),
    toolChoice: choiceOf(call),
  });
}

function choiceOf({ toolChoice }: Call): JsonObject | undefined {
  if (typeof toolChoice === 'object') return { tool: { name: toolChoice.name } };
  if (toolChoice === 'required') return { any: {} };
  return toolChoice === 'auto' ? { auto: {} } : undefined;
}

function writeTool(tool: Tool, dropped: Set<string>): JsonObject {
  if (tool.strict === true) dropped.add('tools.strict');
  return {
    toolSpec: withoutUndefined<JsonObject>({
      name: tool.name,
      // An empty one is refused (API_runtime_ToolSpecification.html: at least one character).
      description: tool.description === '' ? undefined : tool.description,
      inputSchema: { json: { ...tool.parameters, type: 'object' } },
    }),
  };
}
