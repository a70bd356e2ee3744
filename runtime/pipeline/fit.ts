/** Keeps the conversation inside the smallest window among the targets, as the model's context policy says; and inside less where a vendor says so. */
import type { Call, Failure } from '../call.ts';
import { messageTokens, tokensBeside } from '../context/message-tokens.ts';
import type { Entry, Room } from '../context/strategy.ts';
import { HeadgateError } from '../errors.ts';
import type { Dispatchable, Fitted, Guarded } from '../exchange.ts';

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

interface Measured {
  readonly entries: readonly Entry[];
  readonly room: Omit<Room, 'window'>;
}

function measured({ call, prepend }: Pick<Guarded, 'call' | 'prepend'>): Measured {
  const overhead = prepend.reduce((sum, message) => sum + messageTokens(message), tokensBeside(call));
  return { entries: entriesOf(call), room: { maxOutputTokens: call.maxOutputTokens, overhead } };
}

function tell(
  { model, call, reply }: Pick<Dispatchable, 'model' | 'call' | 'reply'>,
  kept: number,
  tokens: number,
): void {
  const count = call.messages.length;
  reply.header(
    'headgate-context',
    `policy="${model.contextPolicy}", in=${count}, kept=${kept}, cut=${count - kept}, tokens=${tokens}`,
  );
}

export function fit(exchange: Guarded): Fitted {
  const { call, model, outcome } = exchange;
  if (!model.fit || model.contextPolicy === undefined) return Object.assign(exchange, { keep: undefined });
  const { entries, room } = measured(exchange);
  // Before the cut, and also where nothing fits: with it, a replay can decide the same conversation without its content.
  const instructions = tokensBeside({ ...call, tools: [] });
  if (outcome.size) outcome.size.tokens = entries.reduce((sum, { tokens }) => sum + tokens, instructions);
  const result = model.fit(entries, room);
  if (!result.fits) {
    throw new HeadgateError(
      'context_length_exceeded',
      `What must stay of this conversation needs about ${result.needed} tokens; ${result.limit} fit (context policy '${model.contextPolicy}').`,
      { param: 'messages', object: `contextPolicies.${model.contextPolicy}` },
    );
  }
  const kept = result.keep?.length ?? entries.length;
  outcome.fit = { policy: model.contextPolicy, messages: entries.length, kept, tokens: result.tokens };
  tell(exchange, kept, result.tokens);
  return Object.assign(exchange, { keep: result.keep });
}

/** Of what was sent, for a vendor that does not say how much would have fitted. */
const shareUntold = 0.75;
/** The vendor counts in its own tokens, so that a cut by ours may miss. */
const caution = 0.95;

export interface Shorter {
  readonly keep: readonly number[];
  readonly tokens: number;
}

/** The conversation for a second try at a target that found it too long; undefined where no policy cuts, or nothing is left to cut. */
export function shorter(exchange: Dispatchable, { fittingShare = shareUntold }: Failure): Shorter | undefined {
  const { model, outcome } = exchange;
  if (!model.fit || !outcome.fit) return undefined;
  const { entries, room } = measured(exchange);
  const most = Math.floor(outcome.fit.tokens * fittingShare * caution);
  const result = model.fit(entries, { ...room, most });
  return result.fits && result.keep ? { keep: result.keep, tokens: result.tokens } : undefined;
}

/** It was answered: that is the conversation that the model saw. */
export const tellShorter = (exchange: Dispatchable, { keep, tokens }: Shorter): void =>
  tell(exchange, keep.length, tokens);
