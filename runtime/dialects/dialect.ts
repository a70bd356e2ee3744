/** The contract of a wire dialect: pure conversions between one API's JSON and the neutral call. No I/O, no state shared between requests. */
import type { Answer, AnswerEvent, Call, Failure, JsonObject, Message } from '../call.ts';

/** One server-sent event, already parsed. */
export interface SseMessage {
  /** The `event:` field, when there was one. */
  readonly event: string | undefined;
  readonly data: string;
}

/** What the gateway changes in a body that stays in its own dialect. Everything else passes untouched. */
export interface BodyEdits {
  /** The vendor's model id. */
  readonly model: string;
  /** Messages (from prompts) to stand before the client's own. */
  readonly prepend: readonly Message[];
  /** Indices into `Call.messages` that stay; undefined keeps all. */
  readonly keep: readonly number[] | undefined;
  /** Ask the vendor to report usage at the end of a stream even when the client did not. */
  readonly streamUsage: boolean;
}

/** A failure as the client sees it, already safe to show. */
export interface WireError {
  readonly status: number;
  /** Stable code, e.g. `quota_exceeded`. */
  readonly code: string;
  /** OpenAI-style type word, e.g. `rate_limit_error`; dialects map it to their own. */
  readonly type: string;
  readonly message: string;
  readonly param: string | undefined;
}

/** Reads a vendor's event stream. One reader per stream; `read` may return no event, one or several. */
export interface EventReader {
  read(message: SseMessage): readonly AnswerEvent[];
  /** Where a stream has no end mark of its own: what it means that it ended in good order. */
  finish?(): readonly AnswerEvent[];
}

/** Writes a client's event stream. One writer per stream; each call returns SSE text, possibly empty. */
export interface EventWriter {
  write(event: AnswerEvent): string;
  /** The text that ends a complete stream. */
  end(): string;
}

/** The vendor's side: what a provider kind needs. */
export interface VendorDialect {
  readonly name: string;
  /** The neutral call as a request body; `dropped` names what this dialect cannot carry. `maxOutputTokens` is set when the model declares a cap. */
  writeCall(
    call: Call,
    options: { readonly model: string; readonly maxOutputTokens?: number },
  ): {
    readonly body: JsonObject;
    readonly dropped: readonly string[];
  };
  /** A complete answer; throws `TypeError` when the body is not one, `AnswerFailed` when it says why there is none. */
  readAnswer(body: JsonObject): Answer;
  /** Where the vendor tells how many tokens a body has: its answer; throws `TypeError` when the body is not one. */
  readCount?(body: JsonObject): number;
  eventReader(): EventReader;
  /**
   * Found in the text of each event that is more than a piece of what is said (usage, the end, a failure), in whatever its vendor
   * writes between the tokens of its JSON, and hardly in others: those pass unread to a client of the same dialect. Events whose data
   * is no object are read in any case. Absent where no client speaks the dialect.
   */
  readonly notable?: RegExp;
  /** Where a stream is no server-sent events: cuts it into messages. Throws when it is broken. */
  frames?(bytes: AsyncIterable<Uint8Array>): AsyncIterable<SseMessage>;
  /** Classifies a non-2xx answer; `body` is undefined when it is not JSON. `request` is the body we sent. */
  readFailure(status: number, body: JsonObject | undefined, request: JsonObject): Failure;
}

/** The client's side: what a surface needs. */
export interface ClientDialect {
  readonly name: string;
  /** Throws `CallError` naming the field when the body is not a valid request. */
  readCall(body: JsonObject): Call;
  /** The same body with only the edits applied; unknown fields and their order stay. */
  rewrite(body: JsonObject, edits: BodyEdits): JsonObject;
  /** What `rewrite` leaves out of a body, such as what another vendor's model thought; without it, nothing ever. */
  leavesOut?(body: JsonObject): readonly string[];
  /** Did the client itself ask for usage in its stream? Where a dialect always reports it, true. */
  wantsStreamUsage(body: JsonObject): boolean;
  /** `asked` is the body of the request, for a dialect whose answers repeat fields of it. */
  writeAnswer(answer: Answer, created: number, asked?: JsonObject): JsonObject;
  eventWriter(options: {
    readonly includeUsage: boolean;
    readonly created: number;
    readonly asked?: JsonObject;
    /** An estimate of the input, for a dialect that tells it before a vendor of another one does. */
    readonly estimateInput?: () => number;
  }): EventWriter;
  writeError(error: WireError): JsonObject;
  /** A failure after the first byte, as SSE text. The stream ends after it, without the end mark. */
  writeErrorEvent(error: WireError): string;
}

/** A request body that breaks its dialect's rules. `param` names the field, e.g. `messages[2].role`. */
export class CallError extends Error {
  readonly param: string | undefined;

  constructor(message: string, param?: string) {
    super(message);
    this.name = 'CallError';
    this.param = param;
  }
}

/** A 200 whose body tells of a failure in place of an answer. */
export class AnswerFailed extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super('The answer tells of a failure.');
    this.name = 'AnswerFailed';
    this.failure = failure;
  }
}
