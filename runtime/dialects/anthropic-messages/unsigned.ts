/** Thinking of other vendors' models in the words of Anthropic's Messages API, where every block of thinking is signed. */
import type { Json, JsonObject } from '../../call.ts';
import { isList, isObject, listIn, textIn } from '../json-fields.ts';

/** Stands for the signature that no other vendor gives, so that such a block is known when the client sends it back. */
export const unsigned = 'headgate';

/** Other dialects sign with more behind the mark, to know their own again. */
const isUnsigned = (block: Json): boolean =>
  isObject(block) && block.type === 'thinking' && textIn(block, 'signature')?.startsWith(unsigned) === true;

const isTouched = (message: Json): boolean =>
  isObject(message) && isList(message.content) && message.content.some(isUnsigned);

/** What of a conversation `withoutUnsigned` leaves out. */
export const unsignedIn = (body: JsonObject): readonly string[] =>
  listIn(body, 'messages').some(isTouched) ? ['thinking'] : [];

/** Anthropic refuses thinking that it did not sign: a conversation that moves there goes on without it. */
export function withoutUnsigned(message: Json): readonly Json[] {
  if (!isObject(message) || !isList(message.content) || !message.content.some(isUnsigned)) return [message];
  const content = message.content.filter((block) => !isUnsigned(block));
  return content.length === 0 ? [] : [{ ...message, content }];
}
