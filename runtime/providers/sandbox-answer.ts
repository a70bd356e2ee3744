/** What the sandbox provider says to one request: a pure function of the request body. */
import { createHash } from 'node:crypto';
import type { Answer, AnswerEvent, Call, JsonObject, Part } from '../call.ts';
import { openaiChat } from '../dialects/openai-chat.ts';

export type SandboxReply =
  | { readonly stream: false; readonly body: string }
  | { readonly stream: true; readonly events: readonly string[] };

/** Answers carry this time instead of the clock's, so that equal requests have equal answers. */
const created = 1_700_000_000;

/** The sandbox's own tokenizer: a token is four characters, rounded up. */
const tokensIn = (text: string): number => Math.ceil(text.length / 4);

function lastUserText(call: Call): string {
  const message = call.messages.findLast(({ role }) => role === 'user');
  return (message?.parts ?? []).flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ');
}

/** The smallest value a JSON Schema allows, enough to show a tool call with arguments of the right shape. */
function sample(schema: JsonObject | undefined, depth = 0): unknown {
  if (!schema || depth > 8) return null;
  if (Array.isArray(schema['enum'])) return (schema['enum'] as unknown[])[0];
  switch (schema['type']) {
    case 'object': {
      const properties = (schema['properties'] ?? {}) as Record<string, JsonObject>;
      return Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, sample(part, depth + 1)]));
    }
    case 'array':
      return [sample(schema['items'] as JsonObject | undefined, depth + 1)];
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    default:
      return 'sandbox';
  }
}

/** It calls a tool when the request forces one, or when the last message is the user's and names one. */
function toolToCall(call: Call, input: string) {
  if (call.toolChoice === 'none' || call.tools.length === 0) return undefined;
  const { toolChoice } = call;
  if (typeof toolChoice === 'object') return call.tools.find(({ name }) => name === toolChoice.name);
  if (toolChoice === 'required') return call.tools[0];
  if (call.messages.at(-1)?.role !== 'user') return undefined;
  return call.tools.find(({ name }) => input.includes(name));
}

function partsFor(call: Call, template: string, id: string): Part[] {
  const input = lastUserText(call);
  const tool = toolToCall(call, input);
  if (tool) {
    // Arguments are an object, also where the schema forgets to say so.
    const chosen = JSON.stringify(sample({ ...tool.parameters, type: 'object' }));
    return [{ type: 'tool_call', id: `call_${id}`, name: tool.name, arguments: chosen }];
  }
  return [{ type: 'text', text: template.split('{{input}}').join(input) }];
}

function* eventsOf(answer: Answer): Generator<AnswerEvent> {
  yield { type: 'start', id: answer.id, model: answer.model };
  for (const part of answer.parts) {
    if (part.type === 'text')
      for (const word of part.text.match(/\s*\S+|\s+$/g) ?? []) yield { type: 'text', text: word };
    if (part.type === 'tool_call') {
      yield { type: 'tool_call', index: 0, id: part.id, name: part.name };
      for (const piece of part.arguments.match(/.{1,12}/gs) ?? [])
        yield { type: 'tool_arguments', index: 0, text: piece };
    }
  }
  yield { type: 'finish', finish: answer.finish };
  if (answer.usage) yield { type: 'usage', usage: answer.usage };
}

export function sandboxAnswer(body: JsonObject, template: string): SandboxReply {
  const call = openaiChat.readCall(body);
  const id = createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 24);
  const parts = partsFor(call, template, id);
  const said = parts
    .map((part) => (part.type === 'text' ? part.text : part.type === 'tool_call' ? part.arguments : ''))
    .join('');
  const heard = JSON.stringify(body['messages']);
  const finish = parts[0]?.type === 'tool_call' ? 'tool_calls' : 'stop';
  const usage = { inputTokens: tokensIn(heard), outputTokens: tokensIn(said) };
  const answer: Answer = { id: `chatcmpl-${id}`, model: call.model, parts, finish, usage };
  if (!call.stream) return { stream: false, body: JSON.stringify(openaiChat.writeAnswer(answer, created)) };
  const writer = openaiChat.eventWriter({ includeUsage: openaiChat.wantsStreamUsage(body), created });
  return {
    stream: true,
    events: [...[...eventsOf(answer)].map((event) => writer.write(event)).filter(Boolean), writer.end()],
  };
}
