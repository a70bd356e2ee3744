/** What a test of a configuration can ask and expect. Types only: the tests of a repository are checked against this file. */
import type { ErrorCode } from '@headgate/runtime/errors';
import type { Asked } from '@headgate/runtime/graph';
import type { KeyHash, KeySpec } from '../consumers.ts';
import type {
  Consumer,
  Decimal,
  Duration,
  Issuer,
  Model,
  Prompt,
  Quota,
  Route,
  Target,
  Upstream,
  Value,
} from '../handles.ts';

/** A message of a conversation, as the OpenAI API writes it. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

/** What comes of the answer, which no target gives here. */
export interface Answering {
  /** Tokens that the answer takes. Default: as many as quotas hold for it. */
  readonly spends?: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly cachedInputTokens?: number;
    readonly cacheWriteTokens?: number;
  };
  /** It is still being answered: it keeps its place in quotas of `'concurrency'`, and what is held for it. Default: it has ended. */
  readonly inFlight?: boolean;
}

/** Who asks. */
export type Caller = {
  /** Where it comes from. Default: from where its consumer and its key may be used. */
  readonly address?: string;
} & (
  | {
      /** Without one, nobody asks, and the gateway refuses. */
      readonly consumer?: Consumer | string;
      /** Of the token that it comes with, which must stand for this consumer. Default: it comes with a key, which has none. */
      readonly claims?: Asked['claims'];
      readonly key?: never;
      readonly issuer?: never;
    }
  | {
      readonly consumer: Consumer | string;
      /** One of its keys, with all that it is bound to. It ends by the clock of the test. */
      readonly key: KeySpec | KeyHash;
      readonly claims?: never;
      readonly issuer?: never;
    }
  | {
      /** Whose token it comes with: whom that stands for, its claims tell. */
      readonly issuer: Issuer | string;
      /** `aud`, `exp` and the like are taken to be right where nothing is said of them. */
      readonly claims: NonNullable<Asked['claims']>;
      readonly consumer?: never;
      readonly key?: never;
    }
);

export type ModelCall = Answering & Caller & ModelAsked;

interface ModelAsked {
  readonly model: Model | string;
  /** Default: one short message of the user. */
  readonly messages?: readonly ChatMessage[];
  /** The body's `metadata`, where prompts may take values from. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Further fields of the body, such as `tools` or `max_tokens`. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export type AnyRequest = Answering & Caller & RequestAsked;

interface RequestAsked {
  readonly method?: string;
  readonly path: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What was decided about one request. Each expectation throws when it does not hold, and gives itself back. */
export interface Decided {
  /** The code of the refusal; undefined when it was let through. */
  readonly refusal: ErrorCode | undefined;
  /** `provider/model`, in the order to try them. */
  readonly targets: readonly string[];
  /** The prompt's messages. */
  readonly prompt: readonly { readonly role: string; readonly text: string }[];
  /** Name of the consumer that asks; undefined where nobody known does. */
  readonly consumer: string | undefined;
  /** Positions of the messages that go to the model. */
  readonly kept: readonly number[];
  isAdmitted(): this;
  /** Who asks: whom the key or the token stands for. */
  isFrom(consumer: Consumer | string): this;
  isRefused(code: ErrorCode): this;
  /** The model or route that it came to, whether or not it was let through. */
  matches(object: Model | Route): this;
  /** These targets in this order, whatever weights may draw. */
  goesTo(...targets: readonly (Target | `${string}/${string}`)[]): this;
  /** How likely each target is the first one: `{ 'openai/gpt-5': 0.9, 'openai/gpt-5-mini': 0.1 }`. */
  startsAt(shares: Readonly<Record<`${string}/${string}`, number>>): this;
  /** The upstream of a route, and the path that it is asked for. */
  isForwardedTo(upstream: Upstream, path: string): this;
  /** The whole text of the prompt's system message, or of several by role. */
  prompts(text: string | Readonly<Partial<Record<'system' | 'user', string>>>): this;
  /** Exactly these messages go to the model, by position. */
  keeps(positions: readonly number[]): this;
  keepsAll(): this;
  /** Where the count of a quota stands after this request; of money in dollars, such as `'0.0125'`. */
  draws(quota: Quota | string, used: number | Decimal): this;
}

/** Time stands still until a test moves it. It begins at 2026-01-01T00:00:00Z. */
export interface VirtualClock {
  readonly now: string;
  /** A moment with its zone, such as `'2028-02-29T23:59:59Z'` or `'2026-03-29T01:59:59+01:00'`. */
  set(moment: string): void;
  advance(by: Duration): void;
}

export interface GatewayUnderTest {
  readonly clock: VirtualClock;
  /** A call of a model, over the API that most clients speak. Quotas count from one call of a test to the next. */
  ask(call: ModelCall): Promise<Decided>;
  /** Any request. */
  send(request: AnyRequest): Promise<Decided>;
  /** The text of a prompt with these values, by role. */
  render<Variables extends Record<string, Value>>(
    prompt: Prompt<Variables>,
    values: { readonly [Name in keyof Variables]: Extract<Variables[Name], string> },
  ): Partial<Record<'system' | 'user', string>>;
}

export type TestBody = (context: { readonly gateway: GatewayUnderTest }) => void | Promise<void>;
