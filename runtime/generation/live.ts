/** What the objects of a snapshot become in a generation: everything looked up, nothing left to decide but the request's own. */
import type { Asking, Circumstances } from '../balancing/balancer.ts';
import type { AddressRanges } from '../address-ranges.ts';
import type { Call, JsonObject, Message } from '../call.ts';
import type { Entry, Fitting, Room } from '../context/strategy.ts';
import type { ModelKind } from '../model-kind.ts';
import type { Verdict } from '../policies/policy.ts';
import type { PriceTable } from '../prices.ts';
import type { Capability, Connection, Passage, ProviderKind, Transport } from '../providers/provider.ts';
import type { Window } from '../quota/store.ts';
import type { Seal } from '../seal.ts';
import type { QuotaScope, QuotaUnit } from '../snapshot-quotas.ts';
import type { KeyName } from '../upstream/keys.ts';

export interface LiveProvider {
  readonly name: string;
  readonly tags: readonly string[];
  readonly kind: ProviderKind;
  /** Undefined while an optional secret is absent: its targets are out of rotation. */
  readonly live: LiveConnection | undefined;
  /** Where it keeps files and batches for consumers. */
  readonly account: LiveAccount | undefined;
}

/** A provider that keeps what consumers have there. */
export interface LiveAccount {
  readonly name: string;
  readonly live: LiveConnection | undefined;
  /** Undefined while its secret is absent. */
  readonly seal: Seal | undefined;
  /** One consumer uses it, and may see all that is in it. */
  readonly isSole: boolean;
}

export interface LiveConnection {
  /** With the first key. What it says of APIs and origin holds for each of them. */
  readonly connection: Connection;
  /** Where requests really go, whatever the provider is called. */
  readonly place: string;
  readonly keys: readonly [LiveKey, ...LiveKey[]];
}

/** One of a provider's keys, or its way of going without. */
export interface LiveKey extends KeyName {
  readonly transport: Transport;
  /** Undefined for kinds that answer in process. */
  readonly pass: Passage | undefined;
}

export interface LiveTarget {
  /** `provider/model`, as headers and metrics show it. */
  readonly label: string;
  readonly provider: LiveProvider;
  readonly model: string;
  /** What the model is for. */
  readonly kind: ModelKind;
  /** By where it really is: what is known of its health goes by this name. */
  readonly upstream: string;
  readonly contextWindow: number;
  readonly maxOutputTokens: number | undefined;
  readonly timeoutMs: number;
  /** Of a stream; pings do not count. */
  readonly firstTokenTimeoutMs: number | undefined;
  readonly retries: number;
  readonly maxConcurrency: number | undefined;
  readonly prices: PriceTable | undefined;
  /** Of its provider. */
  readonly tags: readonly string[];
  /** Undefined where nobody knows. */
  readonly capabilities: readonly Capability[] | undefined;
}

export interface LiveQuota {
  readonly name: string;
  readonly unit: QuotaUnit;
  /** As it is counted: money in billionths of a dollar. */
  readonly limit: number;
  readonly window: Window;
  /** Whose counts these are, in the order of keys; one for the whole gateway where it is empty. */
  readonly scope: readonly QuotaScope[];
  /** Names the end user; undefined: the body does. */
  readonly endUserHeader: string | undefined;
  /** Beyond a share of the limit, calls go to another model. */
  readonly downgrade: { readonly at: number; readonly to: string } | undefined;
  /** Its name and its window before, or those of what it was split off. */
  readonly was: { readonly name: string; readonly window: Window } | undefined;
  /** By so much all replicas together may exceed the limit; 0: by nothing. */
  readonly slack: number;
  /** Share of the limit from which on answers carry a warning. */
  readonly warnAt: number | undefined;
  /** What is soft refuses nothing. */
  readonly mode: 'hard' | 'soft';
  readonly onStoreDown: 'closed' | 'open' | 'local';
  /** What this replica may let through by itself while the store is away. */
  readonly localLimit: number;
}

/** Reads a request header or an entry of the body's metadata. */
export type ReadValue = (from: 'header' | 'metadata', name: string) => string | undefined;

export interface DrawnOrder {
  readonly chance: number;
  readonly targets: readonly LiveTarget[];
}

export interface LiveModel {
  readonly name: string;
  readonly tags: readonly string[];
  /** For a whole request: every attempt, every pause, the last byte. */
  readonly deadlineMs: number;
  /** When the next target is asked as well; undefined: only once one has failed. */
  readonly hedgeMs: number | undefined;
  /** What a target cannot carry is not left out on the way to it: the target is. */
  readonly isStrict: boolean;
  /** Targets in the order to try them, drawn anew; none where no group has one for this request. */
  readonly order: (circumstances: Circumstances) => readonly LiveTarget[];
  /** Every order that can be drawn for a request, or for any, the likeliest first; undefined when they are too many to tell. */
  readonly orders: (asking: Asking | undefined) => readonly DrawnOrder[] | undefined;
  /** Name of its prompt. */
  readonly prompt: string | undefined;
  /** The messages of its prompt; throws `HeadgateError` when a value is missing. */
  readonly render: ((read: ReadValue) => readonly Message[]) | undefined;
  readonly fit: ((entries: readonly Entry[], room: Omit<Room, 'window'>) => Fitting) | undefined;
  /** Name of the context policy, for the response header. */
  readonly contextPolicy: string | undefined;
  readonly policies: readonly { readonly name: string; readonly check: (call: Call) => Verdict }[];
  readonly quotas: readonly LiveQuota[];
}

export interface LiveRoute {
  readonly name: string;
  readonly tags: readonly string[];
  readonly methods: ReadonlySet<string> | undefined;
  readonly host: string | undefined;
  readonly upstream: {
    readonly name: string;
    readonly origin: string;
    readonly path: string;
    /** Undefined while an optional secret is absent: nothing is sent there without it. */
    readonly headers: Readonly<Record<string, string>> | undefined;
    readonly timeoutMs: number;
  };
  readonly stripPrefix: string;
  readonly retries: number;
  readonly maxBodyBytes: number;
  readonly quotas: readonly LiveQuota[];
}

/** Whose tokens are taken. */
export interface LiveIssuer {
  /** All that is said of it: what was found out under one is true under another that says the same. */
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly audience: readonly string[];
  readonly jwks: string | undefined;
  readonly algorithms: readonly string[];
  readonly clockSkewMs: number;
  readonly consumerClaim: readonly string[] | undefined;
}

export interface VerifiedToken {
  readonly claims: JsonObject;
  /** Milliseconds since the Unix epoch, the issuer's skew added. */
  readonly expiresAt: number;
}

/** What the consumer of a bound key may use with others; absent lists: all. */
export interface OfConsumer {
  readonly models: readonly string[] | undefined;
  readonly routes: readonly string[] | undefined;
  readonly prompts: readonly string[] | undefined;
  readonly hasFiles: boolean;
}

/** What a consumer called with, and how far that opens. */
export interface Credential {
  /** The beginning of the key's digest, enough to find it in the configuration; of a token, that of its subject; of a certificate, that of the name it goes by, which a renewal keeps. */
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number | undefined;
  readonly addresses: AddressRanges | undefined;
  /** Of a key with lists of its own, so that a refusal can tell whose list it was. */
  readonly ofConsumer?: OfConsumer;
  /** Of a token, for conditions: they may be personal, so that nothing else may show them. */
  readonly claims?: JsonObject;
  /** It came with the connection, which may outlive it. */
  readonly isCertificate?: true;
}

/** A consumer as one of its credentials opens it. */
export interface LiveConsumer {
  readonly name: string;
  readonly team: string | undefined;
  readonly organisation: string | undefined;
  readonly credential: Credential;
  readonly addresses: AddressRanges | undefined;
  readonly tags: readonly string[];
  readonly models: ReadonlySet<string> | undefined;
  readonly routes: ReadonlySet<string> | undefined;
  /** Those whose models it may use. */
  readonly prompts: ReadonlySet<string> | undefined;
  /** Where its files and batches are kept. */
  readonly accounts: readonly LiveAccount[];
  readonly quotas: readonly LiveQuota[];
}
