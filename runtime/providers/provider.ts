/** The contract of a provider kind: how one vendor is spoken to. A kind is data and pure functions; the core does the I/O. */
import type { JsonObject } from '../call.ts';
import type { Capability } from '../capability.ts';
import type { VendorDialect } from '../dialects/dialect.ts';
import type { Holdings } from '../dialects/holdings.ts';
import type { VendorTask } from '../dialects/task.ts';
import type { ModelKind } from '../model-kind.ts';
import type { PriceTable } from '../prices.ts';
import type { OutputOf, SchemaMaker } from '../zod.ts';

/** One request as it goes over the wire. */
export interface Address {
  /** Path and query under the origin. */
  readonly path: string;
  readonly body: JsonObject;
  /** Only for this request, e.g. a beta flag that a field of the body needs. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An API that a provider answers: a dialect, and where what is written in it goes. */
export interface Api {
  readonly dialect: VendorDialect;
  /** Some vendors want a part of `body`, such as the model, in the path instead. */
  readonly address: (body: JsonObject) => Address;
  /** Where the vendor tells how many tokens the input of a body has; `dialect.readCount` reads the answer. */
  readonly countAddress?: (body: JsonObject) => Address;
  /** Headers of a client that speaks this dialect which go along, such as `anthropic-beta`. Lower-case names; never credentials. */
  readonly passes?: readonly string[];
  /** The sorts of models it takes; without it, those for chat. */
  readonly takes?: readonly ModelKind[];
}

/** An operation beside conversations that a provider answers, and where it goes. */
export interface TaskApi {
  readonly task: VendorTask;
  /** Path and query under the origin. Some vendors want the model in it. */
  readonly path: (model: string) => string;
}

/** What a provider keeps for its account, and where it is asked for that. */
export interface HoldingsApi {
  readonly holdings: Holdings;
  /** Path under the origin for one of the paths of `holdings`. */
  readonly at: (path: string) => string;
  /** Headers of a client which go along. Lower-case names; never credentials. */
  readonly passes?: readonly string[];
}

/** What a credential that is made anew for each request is made from. */
export interface Unsigned {
  readonly method: PassedRequest['method'];
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty where it is sent as it arrives. */
  readonly body: string | Uint8Array;
}

/** Whoever gives out credentials refused to, or what was given to him is of no use. The message names no secret. */
export class CredentialUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CredentialUnavailable';
  }
}

/** Where requests of one configured provider go. Built once per generation, so nothing here is paid per request. */
export interface Connection {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Of those that take a model: a client of one of these dialects gets it untouched; for all others the first is what is translated to. */
  readonly apis: readonly [Api, ...Api[]];
  /** Their failures are told as those of the first of `apis`. */
  readonly tasks?: readonly TaskApi[];
  /** Not for kinds that answer in process. */
  readonly holdings?: HoldingsApi;
  /** Sent with every request, credentials included: never logged. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The headers of a credential that ends or is bound to the request, such as a signature. Rejects with `CredentialUnavailable` when it is refused. */
  readonly authorize?: (request: Unsigned, signal: AbortSignal) => Promise<Readonly<Record<string, string>>>;
}

/** The APIs that take models of a kind, in the order to prefer them. */
export const apisFor = ({ apis }: Connection, kind: ModelKind): readonly Api[] =>
  apis.filter(({ takes = ['chat'] }) => takes.includes(kind));

/** The answer of a transport, before anything is read from it. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives the connection up when the body will not be read to its end. Safe to call twice, and after the end. */
  discard(): void;
}

export interface UpstreamRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text, or a form as the client sent it. */
  readonly body: string | Uint8Array;
  /** Aborting it closes the upstream connection. */
  readonly signal: AbortSignal;
}

/** Sends one request. HTTP to `Connection.origin` unless the kind answers in process. */
export type Transport = (request: UpstreamRequest) => Promise<UpstreamResponse>;

/** A request that is about what the vendor keeps, and whose body may still be on its way. */
export interface PassedRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal: AbortSignal;
}

/** Sends one such request, over HTTP. */
export type Passage = (request: PassedRequest) => Promise<UpstreamResponse>;

/** Reads the value behind a secret reference. */
export type ReadSecret = (reference: SecretReference) => string;

/** `secret('NAME')` in config: the name only. */
export interface SecretReference {
  readonly $secret: string;
  /** When the secret is absent, targets of this provider are out of rotation instead of being an error. */
  readonly optional?: boolean;
}

/** A vendor model as declared under a provider. */
export interface ModelFacts {
  /** Absent means chat. */
  readonly kind?: ModelKind | undefined;
  /** Absent means not known. */
  readonly capabilities?: readonly Capability[] | undefined;
  /** Absent means that nobody knows what it costs. */
  readonly prices?: PriceTable | undefined;
  /** Most tokens of input and output together. */
  readonly contextWindow: number;
  /** Most output tokens; sent as the cap where a dialect demands one and the client gave none. */
  readonly maxOutputTokens?: number | undefined;
}

export { capabilityNames, type Capability } from '../capability.ts';
export { modelKinds, type ModelKind } from '../model-kind.ts';

export interface ProviderKind<Make extends SchemaMaker = SchemaMaker> {
  /** Strict schema of what config may say for this kind, `kind` and `models` aside. */
  readonly options: Make;
  /** Strict schema of extra facts about one model; most kinds have none. */
  readonly modelOptions?: SchemaMaker;
  /** What `modelOptions` makes of a model of which nothing is said. */
  readonly plainModel?: unknown;
  connect(options: OutputOf<Make>, readSecret: ReadSecret): Connection;
  /** Only for kinds that answer in process. `models` holds the parsed `modelOptions` by vendor model id. */
  transport?(options: OutputOf<Make>, models: ReadonlyMap<string, unknown>): Transport;
}
