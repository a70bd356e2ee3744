/** What flows along the line: one exchange, to which each stage adds what it found out. A stage takes what the one before returned. */
import type { IncomingMessage } from 'node:http';
import type { Answer, AnswerEvent, Call, JsonObject, Message, Usage } from './call.ts';
import type { ErrorCode } from './errors.ts';
import type { SseBlock } from './upstream/sse.ts';
import type { Generation, LiveConsumer, LiveModel, LiveQuota, LiveTarget } from './generation/generation.ts';
import type { Log } from './log.ts';
import type { QuotaStore, Taking } from './quota/store.ts';
import type { Reply } from './reply.ts';
import type { Surface } from './surfaces/surface.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** Process-lifetime things that stages use. */
export interface House {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly quotas: QuotaStore;
  readonly random: () => number;
}

/** What the access log, the metrics and the health record are written from at the end, however the request ended. */
export interface Outcome {
  matched: string;
  consumer: string | undefined;
  target: string | undefined;
  attempts: number;
  usage: Usage | undefined;
  /** Stable error code, when it did not go well. */
  code: ErrorCode | undefined;
  /** What the revision that this one is measured against would have served it as, and this one refused: `collection.name`. */
  lost: string | undefined;
  /** What the gateway itself took before it asked a target, without any wait for others. */
  ownMs: number | undefined;
}

export interface Exchange {
  readonly id: string;
  readonly house: House;
  readonly generation: Generation;
  readonly request: IncomingMessage;
  readonly reply: Reply;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  readonly outcome: Outcome;
}

export interface SurfaceExchange extends Exchange {
  readonly surface: Surface;
}

export type Identified<E extends Exchange = SurfaceExchange> = E & { readonly consumer: LiveConsumer };

export type Accepted = Identified & { readonly body: JsonObject; readonly call: Call };

export type Resolved = Accepted & {
  readonly model: LiveModel;
  /** Messages of the model's prompt, to stand before the client's. */
  readonly prepend: readonly Message[];
  readonly targets: readonly LiveTarget[];
};

export type Guarded = Resolved & { readonly guarded: true };

export type Fitted = Guarded & {
  /** Indices of the client's messages that stay; undefined: all. */
  readonly keep: readonly number[] | undefined;
};

export interface Lease {
  /** What was taken, so that it can be given back. */
  readonly takings: readonly { readonly quota: LiveQuota; readonly key: string; readonly taking: Taking }[];
}

export type Reserved<E extends Exchange> = E & { readonly lease: Lease };

/** `bypass`: this model has no cache. */
export type LookedUp = Reserved<Fitted> & { readonly cache: 'bypass' };

/** A complete answer, in the target's own dialect. */
export interface WholeAnswer {
  readonly form: 'whole';
  readonly target: LiveTarget;
  readonly bytes: Uint8Array;
  readonly body: JsonObject;
  /** Read into neutral terms; undefined when the client speaks the target's dialect. */
  readonly answer: Answer | undefined;
  readonly usage: Usage | undefined;
}

/** A streamed answer whose first event has arrived. */
export interface StreamedAnswer {
  readonly form: 'stream';
  readonly target: LiveTarget;
  readonly events: AsyncIterable<StreamedEvent>;
  /** The gateway asked for usage and the client did not: the usage event is hidden. */
  readonly hideUsage: boolean;
}

export interface StreamedEvent {
  readonly block: SseBlock;
  readonly events: readonly AnswerEvent[];
}

export type Answered = LookedUp & { readonly answered: WholeAnswer | StreamedAnswer };
