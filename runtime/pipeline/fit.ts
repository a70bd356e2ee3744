/** Keeps the conversation inside the smallest window among the targets, as the model's context policy says. */
import type { Call } from '../call.ts';
import { messageTokens, tokensBeside } from '../context/message-tokens.ts';
import type { Entry } from '../context/strategy.ts';
import { HeadgateError } from '../errors.ts';
import type { Fitted, Guarded } from '../exchange.ts';

/**
 * A group is a turn: a user message and all that answers it. Calls and their results stand inside one turn, so keeping
 * turns whole never separates them, and what is kept always begins with the user.
 */
function entriesOf(call: Call): Entry[] {
  let group = 0;
  return call.messages.map((message, index) => {
    if (message.role === 'user' && call.messages[index - 1]?.role !== 'user') group += 1;
    return { index, tokens: messageTokens(message), pinned: message.role === 'system', group };
  });
}

export function fit(exchange: Guarded): Fitted {
  const { call, model, prepend, reply, outcome } = exchange;
  if (!model.fit || model.contextPolicy === undefined) return Object.assign(exchange, { keep: undefined });
  const overhead = prepend.reduce((sum, message) => sum + messageTokens(message), tokensBeside(call));
  const entries = entriesOf(call);
  // Before the cut, and also where nothing fits: with it, a replay can decide the same conversation without its content.
  const instructions = tokensBeside({ ...call, tools: [] });
  if (outcome.size) outcome.size.tokens = entries.reduce((sum, { tokens }) => sum + tokens, instructions);
  const result = model.fit(entries, { maxOutputTokens: call.maxOutputTokens, overhead });
  if (!result.fits) {
    throw new HeadgateError(
      'context_length_exceeded',
      `What must stay of this conversation needs about ${result.needed} tokens; ${result.limit} fit (context policy '${model.contextPolicy}').`,
      { param: 'messages', object: `contextPolicies.${model.contextPolicy}` },
    );
  }
  const kept = result.keep?.length ?? entries.length;
  outcome.fit = { policy: model.contextPolicy, messages: entries.length, kept, tokens: result.tokens };
  reply.header(
    'headgate-context',
    `policy="${model.contextPolicy}", in=${entries.length}, kept=${kept}, cut=${entries.length - kept}, tokens=${result.tokens}`,
  );
  return Object.assign(exchange, { keep: result.keep });
}
