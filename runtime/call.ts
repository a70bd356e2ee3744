/** The model call and its answer in neutral terms: what every dialect is read into and written from. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json | undefined };

export type Part =
  | { readonly type: 'text'; readonly text: string }
  /** `url` is `https:` or `data:<mime>;base64,…`. */
  | { readonly type: 'image'; readonly url: string; readonly detail?: string }
  /** `arguments` is JSON text exactly as the model wrote it; it may be incomplete when a stream was cut. */
  | { readonly type: 'tool_call'; readonly id: string; readonly name: string; readonly arguments: string }
  | { readonly type: 'tool_result'; readonly callId: string; readonly text: string; readonly isError?: boolean }
  /** Reasoning the vendor shows. `signature` is opaque and only valid for the vendor that made it. */
  | { readonly type: 'reasoning'; readonly text: string; readonly signature?: string }
  | { readonly type: 'refusal'; readonly text: string }
  /** Something only its own dialect can carry; `label` names it when it is reported as dropped. */
  | { readonly type: 'opaque'; readonly label: string };

export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** One message. `Call.messages` stands one to one with the messages of the body it was read from. */
export interface Message {
  readonly role: Role;
  readonly parts: readonly Part[];
  readonly name?: string;
}

export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments. */
  readonly parameters: JsonObject;
  readonly strict?: boolean;
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string };

export type AnswerFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | { readonly type: 'json_schema'; readonly name: string; readonly schema: JsonObject; readonly strict?: boolean };

export interface Call {
  /** The name the client asked for. */
  readonly model: string;
  readonly messages: readonly Message[];
  /** Instructions that the dialect keeps outside the messages. */
  readonly system?: readonly Part[];
  readonly stream: boolean;
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly maxOutputTokens?: number;
  /** How many answers are asked for; absent means one. */
  readonly answers?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  readonly answerFormat?: AnswerFormat;
  /** The vendor-independent effort word, such as `low` or `high`. */
  readonly reasoningEffort?: string;
  /** An id of the end user, as the client gave it. */
  readonly user?: string;
  /** Request fields that have no neutral meaning: carried natively, reported when translated. */
  readonly untranslated: readonly string[];
  /** Fields without which it would be another call, such as a reference to what the vendor keeps: with one it is not translated. */
  readonly nativeOnly?: readonly [string, ...string[]];
}

/** The same call with all its instructions among its messages, for whoever makes no difference. */
export function gathered({ system, ...call }: Call): Call {
  return system === undefined ? call : { ...call, messages: [{ role: 'system', parts: system }, ...call.messages] };
}

/** How much a search brings in, where its fee goes by that. */
export const searchDepths = ['low', 'medium', 'high'] as const;
export type SearchDepth = (typeof searchDepths)[number];

export interface Usage {
  /** All input tokens, those read from or written to the vendor's prompt cache included. */
  readonly inputTokens: number;
  /** All output tokens, reasoning included. */
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  readonly cacheWriteTokens?: number;
  /** Of `cacheWriteTokens`, those that are kept for an hour or longer. */
  readonly cacheWriteHourTokens?: number;
  /** Of `inputTokens`. */
  readonly audioInputTokens?: number;
  readonly imageInputTokens?: number;
  /** Of `cachedInputTokens`. */
  readonly cachedAudioInputTokens?: number;
  readonly cachedImageInputTokens?: number;
  /** Of `outputTokens`. */
  readonly reasoningTokens?: number;
  readonly audioOutputTokens?: number;
  readonly imageOutputTokens?: number;
  /** What a search brought to read, where the vendor counts it beside the input. */
  readonly citationTokens?: number;
  /** Searches that the vendor made and charges for. */
  readonly searches?: number;
  readonly searchDepth?: SearchDepth;
}

export type Finish = 'stop' | 'length' | 'tool_calls' | 'content_filter';

export interface Answer {
  readonly id: string;
  /** The vendor's own model id. */
  readonly model: string;
  readonly parts: readonly Part[];
  readonly finish: Finish;
  readonly usage?: Usage;
}

/** What a streamed answer is made of, in the order it arrives. `index` counts tool calls from 0. */
export type AnswerEvent =
  | { readonly type: 'start'; readonly id: string; readonly model: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'refusal'; readonly text: string }
  | { readonly type: 'tool_call'; readonly index: number; readonly id: string; readonly name: string }
  | { readonly type: 'tool_arguments'; readonly index: number; readonly text: string }
  /** Something only its own dialect can carry, as `Part` has it. */
  | { readonly type: 'opaque'; readonly label: string }
  | { readonly type: 'finish'; readonly finish: Finish }
  /** Later usage replaces earlier usage. */
  | { readonly type: 'usage'; readonly usage: Usage }
  /** The vendor said in its own way that the answer is complete. A stream without it was cut. */
  | { readonly type: 'end' }
  /** The vendor reported a failure inside the stream. */
  | { readonly type: 'failure'; readonly failure: Failure };

/** Why an attempt failed, in terms of what to do next; the vendor's own words are never kept. */
export type FailureKind =
  /** Our credential was refused (401, 403). */
  | 'credential'
  /** 429: `retryAfterMs` tells how long to leave it alone. */
  | 'rate_limited'
  /** 5xx, overloaded. */
  | 'overloaded'
  /** The conversation does not fit this model. */
  | 'context_too_long'
  /** The vendor finds the request itself wrong: another target of the same dialect would too. */
  | 'bad_request'
  /** The vendor does not know the model or the path. */
  | 'not_found'
  /** Refused by the vendor's content rules. */
  | 'content_refused'
  /** An answer that cannot be understood, or that ended early. */
  | 'broken_answer'
  /** No connection, or it broke before an answer. */
  | 'network'
  | 'timeout';

export interface Failure {
  readonly kind: FailureKind;
  /** HTTP status when there was one. */
  readonly status?: number;
  readonly retryAfterMs?: number;
  /** Of a conversation that is too long: how much of it would have fitted, from 0 to 1, where the vendor says so. */
  readonly fittingShare?: number;
  /** The request field at fault, only when the request really has it (so nothing foreign is echoed). */
  readonly param?: string;
}
