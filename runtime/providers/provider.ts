/** The contract of a provider kind: how one vendor is spoken to. A kind is data and pure functions; the core does the I/O. */
import type { z } from 'zod';
import type { JsonObject } from '../call.ts';
import type { VendorDialect } from '../dialects/dialect.ts';

/** Where requests of one configured provider go. Built once per generation, so nothing here is paid per request. */
export interface Connection {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path of the chat endpoint under the origin. */
  readonly chatPath: string;
  /** Sent with every request, credentials included: never logged. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

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
  /** JSON text. */
  readonly body: string;
  /** Aborting it closes the upstream connection. */
  readonly signal: AbortSignal;
}

/** Sends one request. HTTP to `Connection.origin` unless the kind answers in process. */
export type Transport = (request: UpstreamRequest) => Promise<UpstreamResponse>;

/** Reads the value behind a secret reference. */
export type ReadSecret = (reference: SecretReference) => string;

/** `secret('NAME')` in config: the name only. */
export interface SecretReference {
  readonly $secret: string;
  /** When the secret is absent, targets of this provider are out of rotation instead of being an error. */
  readonly optional?: boolean;
}

/** What a model is for: which API of its vendor takes it. */
export const modelKinds = [
  'chat',
  /** Only behind a vendor's responses API. */
  'responses',
  'completion',
  'embedding',
  'rerank',
  'moderation',
  'image',
  'transcription',
  'speech',
  'realtime',
] as const;
export type ModelKind = (typeof modelKinds)[number];

/** What a model can do beyond text in and text out. */
export const capabilityNames = [
  'tools',
  'parallelTools',
  'structuredOutput',
  'reasoning',
  'images',
  'files',
  'audioIn',
  'audioOut',
  'promptCache',
] as const;
export type Capability = (typeof capabilityNames)[number];

/** USD for a million tokens, as decimal texts: money is never a float. */
export interface Prices {
  readonly input: string;
  /** Input that the vendor had in its prompt cache. */
  readonly cachedInput?: string | undefined;
  /** Input that the vendor puts into its prompt cache. */
  readonly cacheWrite?: string | undefined;
  readonly output: string;
}

/** A vendor model as declared under a provider. */
export interface ModelFacts {
  /** Absent means chat. */
  readonly kind?: ModelKind | undefined;
  /** Absent means not known. */
  readonly capabilities?: readonly Capability[] | undefined;
  /** Absent means that nobody knows what it costs. */
  readonly prices?: Prices | undefined;
  /** Most tokens of input and output together. */
  readonly contextWindow: number;
  /** Most output tokens; sent as the cap where a dialect demands one and the client gave none. */
  readonly maxOutputTokens?: number | undefined;
}

export interface ProviderKind<Options extends z.ZodType = z.ZodType> {
  /** Strict schema of what config may say for this kind, `kind` and `models` aside. */
  readonly options: Options;
  /** Strict schema of extra facts about one model; most kinds have none. */
  readonly modelOptions?: z.ZodType;
  readonly dialect: VendorDialect;
  connect(options: z.output<Options>, readSecret: ReadSecret): Connection;
  /** Only for kinds that answer in process. `models` holds the parsed `modelOptions` by vendor model id. */
  transport?(options: z.output<Options>, models: ReadonlyMap<string, unknown>): Transport;
  /** Extra headers for one request, e.g. a beta flag a body field needs. */
  requestHeaders?(body: JsonObject): Readonly<Record<string, string>>;
}
