/** What a generation is: one snapshot made live, immutable, counted while requests use it, and gone when the last one ends. */
import type { Artifact, Manifest } from '../artifact.ts';
import type { Asking, Circumstances } from '../balancing/balancer.ts';
import type { Call, Message } from '../call.ts';
import type { Entry, Fitting, Room } from '../context/strategy.ts';
import type { ModelKind } from '../model-kind.ts';
import type { Verdict } from '../policies/policy.ts';
import type { Connection, Prices, ProviderKind, Transport } from '../providers/provider.ts';
import type { KeyName } from '../upstream/keys.ts';
import { Changes, type Compared } from './changes.ts';
import { ConsumerRecord } from './consumer-record.ts';
import { HealthRecord } from './health.ts';
import type { Directory } from './on-demand.ts';

export interface LiveProvider {
  readonly name: string;
  readonly kind: ProviderKind;
  /** Undefined while an optional secret is absent: its targets are out of rotation. */
  readonly live: LiveConnection | undefined;
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
  readonly prices: Prices | undefined;
}

export interface LiveQuota {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
  readonly scope: 'consumer' | 'gateway';
  readonly onStoreDown: 'closed' | 'open';
}

/** Reads a request header or an entry of the body's metadata. */
export type ReadValue = (from: 'header' | 'metadata', name: string) => string | undefined;

export interface DrawnOrder {
  readonly chance: number;
  readonly targets: readonly LiveTarget[];
}

export interface LiveModel {
  readonly name: string;
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

export interface LiveConsumer {
  readonly name: string;
  readonly models: ReadonlySet<string> | undefined;
  readonly routes: ReadonlySet<string> | undefined;
  readonly quotas: readonly LiveQuota[];
}

/** Which commit made what is served. */
export interface Revision {
  /** Source commit when the artifact names one, else the artifact's own commit or digest. */
  readonly id: string;
  /** What headers and logs show. */
  readonly short: string;
  readonly artifact: string;
  readonly digest: string;
  readonly manifest: Manifest;
  /** Who vouches for it; undefined where signatures are not demanded. */
  readonly signer: Artifact['signer'];
}

/** `refused`: the path is there, and these are the methods it takes. */
export type RouteMatch<Route = LiveRoute> =
  | { readonly route: Route }
  | { readonly refused: readonly string[] }
  | undefined;

export interface Tables {
  readonly models: Directory<LiveModel>;
  /** Consumers by the hex SHA-256 of their keys. */
  readonly consumersByKey: Directory<LiveConsumer>;
  readonly providers: ReadonlyMap<string, LiveProvider>;
  readonly matchRoute: (method: string, host: string, path: string) => RouteMatch;
  /** Read anew for each call: for who compares revisions, not for requests. */
  readonly namesOf: (sort: 'models' | 'routes' | 'providers' | 'consumers') => readonly string[];
  /** `file:line:column` of the object at `collection.name`. */
  readonly sourceOf: (object: string) => string | undefined;
  /** What tells one revision from another. */
  readonly compared: Compared;
}

/** The revision that another one is measured against: the one before it, or the one beside it. */
export interface Measure {
  readonly against: Generation;
  readonly changes: Changes;
}

export class Generation {
  readonly number: number;
  readonly revision: Revision;
  readonly tables: Tables;
  readonly consumers = new ConsumerRecord();
  readonly #dispose: () => void;
  #health = new HealthRecord();
  #measure: Measure | undefined;
  #inFlight = 0;
  #retired = false;
  #disposed = false;

  constructor(made: { number: number; revision: Revision; tables: Tables; dispose: () => void }) {
    this.number = made.number;
    this.revision = made.revision;
    this.tables = made.tables;
    this.#dispose = made.dispose;
  }

  get health(): HealthRecord {
    return this.#health;
  }

  /** Begins a new record, for a new stretch of time; the one before is handed back. */
  renewHealth(): HealthRecord {
    const before = this.#health;
    this.#health = new HealthRecord();
    return before;
  }

  /** Undefined while nothing is to be judged. */
  get measure(): Measure | undefined {
    return this.#measure;
  }

  /** As long as this one may have to give way to `other`. */
  measureAgainst(other: Generation | undefined): void {
    this.#measure = other && { against: other, changes: new Changes(this.tables.compared, other.tables.compared) };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A request pins the generation it began on; call the returned function once when it is over. */
  enter(): () => void {
    this.#inFlight += 1;
    return () => {
      this.#inFlight -= 1;
      this.#disposeWhenIdle();
    };
  }

  /** It will get no new request. What it holds is given back when the last one ends. */
  retire(): void {
    this.#retired = true;
    this.#disposeWhenIdle();
  }

  #disposeWhenIdle(): void {
    if (!this.#retired || this.#inFlight > 0 || this.#disposed) return;
    this.#disposed = true;
    this.#dispose();
  }
}
