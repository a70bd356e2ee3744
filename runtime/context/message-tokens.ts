/** Estimates the tokens of a whole message: what context policies count while serving, and reviews count beforehand. */
import type { Call, Message, Part } from '../call.ts';
import { estimateTokens } from './estimate.ts';

/** What a message costs beside its text: role and separators. */
const perMessage = 4;
/** Vendors charge by image size, which nobody knows before the vendor: a common figure for a large one. */
const perImage = 1_600;

function tokensOf(part: Part): number {
  switch (part.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
    case 'tool_result':
      return estimateTokens(part.text);
    case 'tool_call':
      return estimateTokens(part.name) + estimateTokens(part.arguments) + perMessage;
    case 'image':
      return perImage;
    case 'opaque':
      return perImage;
  }
}

export const messageTokens = ({ parts }: Message): number =>
  parts.reduce((sum, part) => sum + tokensOf(part), perMessage);

/** What a call says outside its messages. */
export function tokensBeside({ system, tools }: Pick<Call, 'system' | 'tools'>): number {
  const instructions = system === undefined ? 0 : messageTokens({ role: 'system', parts: system });
  return instructions + (tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools)));
}
