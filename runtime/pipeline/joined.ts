/** Puts together what is one message to everybody but the API it came in: some SDKs repeat a streamed answer in its pieces. */
import type { Message, Part } from '../call.ts';

function addPart(parts: readonly Part[], part: Part): readonly Part[] {
  const last = parts.at(-1);
  if (part.type !== 'text' || last?.type !== 'text') return [...parts, part];
  return [...parts.slice(0, -1), { type: 'text', text: last.text + part.text }];
}

/** Neighbouring messages of the assistant as one. */
export function joined(messages: readonly Message[]): readonly Message[] {
  const all: Message[] = [];
  for (const message of messages) {
    const last = all.at(-1);
    if (message.role !== 'assistant' || last?.role !== 'assistant' || last.name !== message.name) all.push(message);
    else all[all.length - 1] = { ...last, parts: message.parts.reduce(addPart, last.parts) };
  }
  return all;
}
