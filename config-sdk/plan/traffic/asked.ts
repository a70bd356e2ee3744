/** Makes of a recorded request one that can be decided: with a conversation of the recorded size, and stand-ins for what a log leaves out. */
import { messageTokens } from '@headgate/runtime/context/message-tokens';
import type { AskedRequest } from '@headgate/runtime/decide';
import type { Snapshot } from '@headgate/runtime/snapshot';
import { renderBound } from '../rendering.ts';
import { entryOf, type Sides } from '../revision.ts';
import type { Recorded, Turn } from './recording.ts';

/** What the runtime's estimate makes of a message beside its text, and the one sort of character that is a token each. */
const perMessage = 4;
const oneToken = '字';

interface Values {
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const nothing: Values = { headers: {}, metadata: {} };

/** A value that both sides take, if there is one: the change must not show where the real value may well be fine. */
function standIn({ base, head }: Sides, model: string, variable: string): string {
  const choicesIn = (snapshot: Snapshot): readonly string[] | undefined => {
    const prompt = entryOf(snapshot.models, model)?.prompt;
    const choices = prompt && entryOf(snapshot.prompts, prompt.name)?.choices;
    return choices && entryOf(choices, variable);
  };
  const [before, after] = [choicesIn(base), choicesIn(head)];
  return before?.find((choice) => after?.includes(choice) ?? true) ?? before?.[0] ?? after?.[0] ?? 'unrecorded';
}

/** What the prompt of a model at the base must have been given, since it was: what only the head asks for, nobody sends yet. */
function standInsFor(sides: Sides, model: string): Values {
  const variables = Object.entries(entryOf(sides.base.models, model)?.prompt?.variables ?? {});
  const from = (where: 'header' | 'metadata') =>
    Object.fromEntries(
      variables.flatMap(([variable, source]): [string, string][] =>
        typeof source === 'string' || source.from !== where || source.default !== undefined
          ? []
          : [[source.name, standIn(sides, model, variable)]],
      ),
    );
  return { headers: from('header'), metadata: from('metadata') };
}

const messageOf = (turn: Turn) => ({
  role: turn.role,
  content: 'content' in turn ? turn.content : oneToken.repeat(Math.max(1, turn.tokens - perMessage)),
  ...(turn.role === 'tool' && { tool_call_id: 'recorded' }),
});

const tokensOf = (turn: Turn): number =>
  'tokens' in turn ? turn.tokens : messageTokens({ role: 'user', parts: [{ type: 'text', text: turn.content }] });

/** Turns of equal length that end with the user, as conversations do. */
function turnsOf(count: number, tokens: number): readonly Turn[] {
  const each = Math.floor(tokens / count);
  return Array.from({ length: count }, (_, index) => ({
    role: (count - 1 - index) % 2 === 0 ? 'user' : 'assistant',
    tokens: index === count - 1 ? tokens - each * (count - 1) : each,
  }));
}

export interface Asking {
  readonly asked: AskedRequest;
  /** Of its conversation; undefined where nothing is known of it, which then is one short message. */
  readonly tokens: number | undefined;
}

export class AskedAgain {
  readonly #sides: Sides;
  readonly #standIns = new Map<string, Values>();
  readonly #promptTokens = new Map<string, number>();
  /** The path of any model call: what is decided does not depend on the API that the client speaks. */
  readonly #callPath: string;

  constructor(sides: Sides, callPath: string) {
    this.#sides = sides;
    this.#callPath = callPath;
  }

  #remembered<Value>(known: Map<string, Value>, model: string, make: () => Value): Value {
    const value = known.get(model) ?? make();
    // Names of models come from the file: those without a prompt are not worth remembering.
    if (entryOf(this.#sides.base.models, model)) known.set(model, value);
    return value;
  }

  #turns(
    { messages, tokens, inputTokens }: Recorded,
    model: string,
  ): Pick<Asking, 'tokens'> & { turns: readonly Turn[] } {
    if (typeof messages === 'object')
      return { turns: messages, tokens: messages.reduce((sum, turn) => sum + tokensOf(turn), 0) };
    const { base } = this.#sides;
    const declared = entryOf(base.models, model);
    const prompted = () => (declared ? renderBound(base, declared).tokens : 0);
    // The provider counted the prompt too.
    const counted =
      inputTokens && Math.max(perMessage, inputTokens - this.#remembered(this.#promptTokens, model, prompted));
    const known = tokens ?? counted;
    return { turns: turnsOf(Math.max(1, messages ?? 1), known ?? perMessage), tokens: known };
  }

  of(recorded: Recorded): Asking {
    const { method, path, host, consumer, model, maxOutputTokens, stream } = recorded;
    const shared = { ...(consumer !== undefined && { consumer }), ...(host !== undefined && { host }) };
    if (model === undefined)
      return { asked: { ...shared, method, path, headers: recorded.headers }, tokens: undefined };
    const values = recorded.complete
      ? nothing
      : this.#remembered(this.#standIns, model, () => standInsFor(this.#sides, model));
    const { turns, tokens } = this.#turns(recorded, model);
    const body = {
      model,
      stream,
      messages: turns.map(messageOf),
      metadata: { ...values.metadata, ...recorded.metadata },
      ...(maxOutputTokens && { max_tokens: maxOutputTokens }),
    };
    const headers = { ...values.headers, ...recorded.headers, 'content-type': 'application/json' };
    // Written once for both sides.
    return { asked: { ...shared, path: this.#callPath, headers, body: JSON.stringify(body) }, tokens };
  }
}
