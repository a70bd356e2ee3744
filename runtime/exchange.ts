/** What flows along the line: one exchange, to which each stage adds what it found out. A stage takes what the one before returned. */
import type { Answer, AnswerEvent, Call, JsonObject, Message, Part, Usage } from './call.ts';
import type { ClientDialect, VendorDialect } from './dialects/dialect.ts';
import type { RequestHead } from './door.ts';
import type { Generation } from './generation/generation.ts';
import type { LiveAccount, LiveConsumer, LiveModel, LiveQuota, LiveTarget } from './generation/live.ts';
import type { Log } from './log.ts';
import type { Demand, Former, QuotaStore, Taking } from './quota/store.ts';
import type { Outcome } from './outcome.ts';
import type { HoldingsLine } from './pipeline/find-line.ts';
import type { AttemptFailed } from './pipeline/patience.ts';
import type { HoldingsApi } from './providers/provider.ts';
import type { Reply } from './reply.ts';
import type { Seal } from './seal.ts';
import type { Surface, SurfaceTask } from './surfaces/surface.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** Process-lifetime things that stages use. */
export interface House {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly quotas: QuotaStore;
  readonly upstreams: Upstreams;
  readonly random: () => number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

export interface Exchange {
  readonly id: string;
  readonly house: House;
  readonly generation: Generation;
  readonly request: RequestHead;
  /** Where the request comes from, as far as that can be believed; undefined where nobody knows. */
  readonly address: string | undefined;
  readonly reply: Reply;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
  readonly outcome: Outcome;
}

/** What the stages of a model call add has its place from the start: an object that grows is copied each time. */
export const toCome = {
  surface: undefined,
  dialect: undefined,
  says: undefined,
  readBody: undefined,
  consumer: undefined,
  body: undefined,
  call: undefined,
  model: undefined,
  prepend: undefined,
  targets: undefined,
  guarded: undefined,
  keep: undefined,
  lease: undefined,
  cache: undefined,
  finish: undefined,
  answered: undefined,
};

export interface SurfaceExchange extends Exchange {
  readonly surface: Surface;
  /** What the body is written in. */
  readonly dialect: ClientDialect;
  /** What the path says in place of the body. */
  readonly says: JsonObject;
  /** The whole body; rejects when it is too large or does not arrive. */
  readonly readBody: () => Promise<Buffer>;
}

export type Identified<E extends Exchange = SurfaceExchange> = E & { readonly consumer: LiveConsumer };

export type Accepted<E extends Exchange = SurfaceExchange> = Identified<E> & {
  readonly body: JsonObject;
  readonly call: Call;
};

export type Resolved<E extends Exchange = SurfaceExchange> = Accepted<E> & {
  readonly model: LiveModel;
  /** Messages of the model's prompt, to stand before the client's. */
  readonly prepend: readonly Message[];
  readonly targets: readonly LiveTarget[];
};

export type Guarded<E extends Exchange = SurfaceExchange> = Resolved<E> & { readonly guarded: true };

export type Fitted = Guarded & {
  /** Indices of the client's messages that stay; undefined: all. */
  readonly keep: readonly number[] | undefined;
};

/** One count of a quota. */
export interface Share {
  readonly key: string;
  /** Where it was counted under the quota's former name, or in its former window. */
  readonly was: Former | undefined;
  /** Such as `consumer 'web'`; empty for the whole gateway. */
  readonly words: string;
  /** What is sent to others does not count here. */
  readonly provider: string | undefined;
}

/** One of a quota's counts, and what of it a request asks for. */
export interface AskedOf {
  readonly quota: LiveQuota;
  readonly share: Share;
  readonly demand: Demand;
  /** Counted by this replica itself because the store is away, up to the limit of the demand. */
  readonly isAlone?: true;
}

export interface Lease {
  /** What was taken, so that it can be settled. More comes while other providers are tried. */
  takings: readonly (AskedOf & { readonly taking: Taking })[];
  /** What is counted by provider, of each in the order: taken before it is asked, and no sooner. */
  readonly byProvider: ReadonlyMap<string, readonly AskedOf[]>;
  /** Those of them that it was taken for. */
  readonly entered: Set<string>;
  /** What the store was asked and has not answered yet: only then it is known what there is to settle. */
  readonly underWay: Set<Promise<unknown>>;
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
  /** What was said, in any case. */
  readonly parts: readonly Part[];
  readonly usage: Usage | undefined;
}

/** A streamed answer that has said something. */
export interface StreamedAnswer {
  readonly form: 'stream';
  readonly target: LiveTarget;
  /** In the client's own dialect: what arrives passes as it is. */
  readonly native: boolean;
  /** What it came in. */
  readonly dialect: VendorDialect;
  readonly stream: {
    /** Undefined when nothing more comes. Rejects with `AttemptFailed`. */
    next(): Promise<Heard | undefined>;
    /** Nobody reads on. */
    close(): void;
  };
}

/** What of a stream arrived together. */
export interface Heard {
  /** Whole events for a client that speaks the same dialect, up to the end or to a failure; empty for all others. */
  readonly passing: Uint8Array;
  /** What they say; of those that pass only some are read, the usage, the end and failures among them. */
  readonly events: readonly AnswerEvent[];
}

/** How an answer that had begun ended: in full, with a failure, or because its client left or its time was over. */
export type Finish = (end: 'complete' | 'cut_short' | AttemptFailed) => void;

export type Answered = LookedUp & {
  readonly finish: Finish;
  readonly answered: WholeAnswer | StreamedAnswer;
};

/** What targets can be asked for, one after the other. */
export type Dispatchable = Reserved<Guarded<Exchange>> & { readonly keep?: readonly number[] | undefined };

/** An operation beside conversations. */
export interface TaskExchange extends Exchange {
  readonly surface: Surface;
  readonly asked: SurfaceTask;
  /** What the path says in place of the body. */
  readonly says: JsonObject;
  readonly readBody: () => Promise<Buffer>;
}

/** What goes on the wire. */
export interface Payload {
  readonly contentType: string;
  readonly bytes: string | Uint8Array;
}

/** `body` is the JSON, or the texts of a form; `call` holds what policies judge. */
export type AcceptedTask = Accepted<TaskExchange> & {
  /** The client's own body, with only the model's name changed. */
  readonly payloadFor: (model: string) => Payload;
};

export type ReservedTask = Reserved<AcceptedTask & Guarded<TaskExchange>>;

/** A complete answer in JSON. */
export interface WholeTaskAnswer {
  readonly form: 'whole';
  readonly target: LiveTarget;
  readonly bytes: Uint8Array | string;
  readonly usage: Usage | undefined;
}

/** Anything else, of which the first bytes have arrived: audio, text, events. */
export interface StreamedTaskAnswer {
  readonly form: 'stream';
  readonly target: LiveTarget;
  readonly contentType: string;
  readonly isEvents: boolean;
  readonly pieces: AsyncIterable<TaskPiece>;
}

export interface TaskPiece {
  readonly bytes: Uint8Array | string;
  readonly usage: Usage | undefined;
}

export type AnsweredTask = ReservedTask & {
  readonly finish: Finish;
  readonly answered: WholeTaskAnswer | StreamedTaskAnswer;
};

export type HoldingsExchange = Exchange & HoldingsLine;

export type AccountKnown = Identified<HoldingsExchange> & {
  readonly account: LiveAccount;
  readonly place: HoldingsApi;
  readonly seal: Seal;
};
