/** What a generation is: one snapshot made live, immutable, counted while requests use it, and gone when the last one ends. */
import type { Artifact, Manifest } from '../artifact.ts';
import { Changes, type Compared } from './changes.ts';
import { ConsumerRecord } from './consumer-record.ts';
import { HealthRecord } from './health.ts';
import type { LiveConsumer, LiveIssuer, LiveModel, LiveProvider, LiveRoute, VerifiedToken } from './live.ts';
import type { Directory } from './on-demand.ts';

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

export interface KeyExpiry {
  readonly consumer: string;
  /** The beginning of its digest. */
  readonly key: string;
  readonly at: number;
}

export interface Tables {
  readonly models: Directory<LiveModel>;
  /** The prompt of a model, without building it. */
  readonly promptOf: (model: string) => string | undefined;
  /** Consumers by the hex SHA-256 of their keys. */
  readonly consumersByKey: Directory<LiveConsumer>;
  /** Consumers by the names of their certificates. */
  readonly consumersByCertificate: Directory<LiveConsumer>;
  /** Issuers of tokens by their `iss`. */
  readonly issuers: ReadonlyMap<string, LiveIssuer>;
  /** Consumers that a verified token stands for. */
  readonly consumersByClaims: (issuer: LiveIssuer, token: VerifiedToken) => readonly LiveConsumer[];
  /** Keys that end, or have ended: in milliseconds since the Unix epoch. */
  readonly keyExpiries: readonly KeyExpiry[];
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
