/** The functions a repository declares its objects with. Each records where it was called and returns a value to refer by. */
import type {
  Capability,
  contextKinds,
  ModelKind,
  policyKindTable,
  providerKindTable,
  SchemaMaker,
} from '@headgate/runtime/snapshot';
import type { z } from 'zod';
import { declare } from './site.ts';
import type { FilesSpec } from './files.ts';
import type {
  Fit,
  FitContext,
  FitQuota,
  ForChat,
  KnownModels,
  Legs,
  ModelFor,
  QuotaUnit,
  TargetsIn,
} from './fitting.ts';
import type {
  BoundPrompt,
  ContextPolicy,
  Duration,
  Model,
  Policy,
  Prompt,
  Provider,
  Quota,
  Route,
  Secret,
  TargetsOf,
  Upstream,
} from './handles.ts';
import type { DatedPriceList, ModelPrices } from './prices.ts';
import type { ModelProbe, RouteProbe } from './probes.ts';

/**
 * The value of `name`, read when a revision is activated: from the environment variable of that name, or from the file
 * that the variable `<name>_FILE` points at. With `optional`, an absent value takes the provider's targets out of
 * rotation; without it, the revision is refused.
 */
export function secret(name: string, options: { optional?: boolean } = {}): Secret {
  return { $secret: name, ...options };
}

type ProviderKinds = typeof providerKindTable;
/** A schema without properties infers as `Record<string, never>`, which beside others would forbid theirs too. */
type InputOf<Schema extends z.ZodType> = string extends keyof z.input<Schema> ? {} : z.input<Schema>;
type OptionsOf<Kind> = Kind extends { readonly options: infer Make extends SchemaMaker }
  ? InputOf<ReturnType<Make>>
  : never;
type ModelOptionsOf<Kind> = Kind extends { readonly modelOptions: infer Make extends SchemaMaker }
  ? InputOf<ReturnType<Make>>
  : {};

/**
 * `Written` collects the literals that stand in a config, which is all that later checks need of them. Each property also
 * allows its whole type, so that a wrong value is measured against that.
 */
export interface ModelFacts<Written = never> {
  /** Most tokens the model takes, input and output together. Models of the catalogue have theirs. */
  contextWindow?: (Written & number) | number;
  /** Most tokens it answers with. Sent as the cap where the vendor demands one and the client gave none. */
  maxOutputTokens?: number;
  /** What it is for. Default: as the catalogue says, else `'chat'`. */
  kind?: (Written & ModelKind) | ModelKind;
  /** All that it can do beyond text. Default: as the catalogue says, else nothing. */
  capabilities?: readonly ((Written & Capability) | Capability)[];
  /**
   * What it costs. Several, each with the day `from` which it holds, where prices change: the call is charged at those of its
   * moment, and before the first day at what the catalogue says. Default: as the catalogue says, else not known.
   */
  prices?: ModelPrices<Written> | DatedPriceList<Written>;
}

type Models<Kind extends keyof ProviderKinds, Written> = {
  [Id in keyof Written]: ModelFacts<Written[Id]> &
    (Id extends keyof KnownModels<Kind> ? {} : { contextWindow: number }) &
    ModelOptionsOf<ProviderKinds[Kind]>;
};

type ProviderSpec<Kind extends keyof ProviderKinds, Written> = {
  /** How this vendor is spoken to. */
  kind: Kind;
  /** The vendor's model ids this account may be used for. What is not said of one is taken from the catalogue. */
  models: Models<Kind, Written> & { [Id in keyof KnownModels<Kind>]?: unknown };
  /** Keeps files and batches for the consumers that name it in their `files`. Default: it keeps none. */
  files?: FilesSpec;
  /** Words that invariants speak of. */
  tags?: readonly string[];
} & OptionsOf<ProviderKinds[Kind]>;

/** One account at one vendor. */
export function provider<const Id extends string, const Kind extends keyof ProviderKinds, const Written>(
  id: Id,
  spec: ProviderSpec<Kind, Written>,
): Provider<TargetsOf<Id, Kind, Written>> {
  const target: Provider<TargetsOf<Id, Kind, Written>>['target'] = (model, options = {}) =>
    declare(target, '', { model, options }, { kind: 'target', provider: id, model, options });
  return declare(provider, id, spec, { kind: 'provider', id, target });
}

export interface ModelSpec<Needs, Of extends readonly unknown[], Budget extends number, Unit, To> {
  /** What every target must be able to do, fallbacks included. One that cannot is a type error. */
  needs?: Needs;
  /** Where requests go: the first that answers, until the client has seen a byte. All are for what the first is for, such as chat. */
  targets: { [Index in keyof Of]: Fit<Of[Index], Needs, Of> };
  /** For a whole request, to the last byte of its answer; then a 504, or an error event in a stream. Default `'10m'`. */
  deadline?: Duration;
  /** Asks the next target too when one has not begun by then: who begins first serves, at up to twice the cost. Default: never. */
  hedge?: Duration;
  /**
   * Passes over each target that cannot carry all of a request to its vendor, and refuses the request with `not_carried` where
   * none is left. Default: what cannot be carried is left out, and named in `headgate-dropped`.
   */
  strict?: boolean;
  /** Stands before the client's own messages. Only for chat. */
  prompt?: ForChat<'prompt', BoundPrompt | Prompt<{}>, Of>;
  /** Keeps conversations inside the window. Without one, messages pass as they are. Only for chat. */
  context?: ForChat<'context policy', FitContext<Budget, TargetsIn<Of[number]>>, Of>;
  /** Rules over what goes in; all must pass. */
  policies?: readonly Policy[];
  /** Limits that every call of this model draws from. */
  quotas?: readonly FitQuota<Unit, To, Of>[];
  /**
   * Asked before a revision that changes this model, or what it is made of, serves. A refused credential, an unknown model
   * or a wrong answer refuses the revision; overload, rate limits and time-outs of the vendor do not. Draws on no quota. Only
   * for chat.
   */
  probe?: ForChat<'probe', ModelProbe, Of>;
  /** Words that invariants speak of. */
  tags?: readonly string[];
}

/** A name that clients ask for, and what stands behind it. */
export function model<
  const Needs extends readonly Capability[] = [],
  const Of extends Legs = Legs,
  Budget extends number = number,
  const Unit extends string = QuotaUnit,
  const To extends string = never,
>(id: string, spec: ModelSpec<Needs, Of, Budget, Unit, To>): Model<ModelFor<Of>> {
  return declare(model, id, spec, { kind: 'model', id });
}

type KindSpec<Kinds> = { [Kind in keyof Kinds]: { kind: Kind } & OptionsOf<Kinds[Kind]> }[keyof Kinds];

/** Which messages of a conversation go to the model. */
export function contextPolicy<const Budget extends number = number>(
  id: string,
  spec: KindSpec<typeof contextKinds> & { target?: Budget | 'window' },
): ContextPolicy<Budget> {
  return declare(contextPolicy, id, spec, { kind: 'context-policy', id });
}

/** One rule over what goes in. */
export function policy(id: string, spec: KindSpec<typeof policyKindTable>): Policy {
  return declare(policy, id, spec, { kind: 'policy', id });
}

export interface UpstreamSpec {
  /** Base URL; the path of a request is appended. */
  url: `http${'s' | ''}://${string}`;
  /** Sent with every request instead of the client's own headers of the same (lower-case) name. */
  headers?: Readonly<Record<string, string | Secret>>;
  /** Longest wait for the response head, and between two pieces of the body. Default `'30s'`. */
  timeout?: Duration;
}

/** A service that API routes forward to. */
export function upstream(id: string, spec: UpstreamSpec): Upstream {
  return declare(upstream, id, spec, { kind: 'upstream', id });
}

export interface RouteSpec {
  /** Exact, or a prefix when it ends in `/*`. The longest match wins. `/v1/…` belongs to the model APIs. */
  path: `/${string}`;
  /** Default: all. */
  methods?: readonly ('GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS')[];
  /** Only for requests to this host name (lower case, no port). Default: any. */
  host?: string;
  upstream: Upstream;
  /** Taken off the front of the path before forwarding, e.g. `'/orders'`. */
  stripPrefix?: `/${string}`;
  /** Further tries of GET, HEAD and OPTIONS when the connection failed. Never for an answer. Default 1. */
  retries?: number;
  /** Largest request body in bytes. Default 10 MiB. */
  maxBodyBytes?: number;
  /** Limits that every request of this route draws from. */
  quotas?: readonly Quota[];
  /**
   * Asked before a revision that changes this route or its upstream serves. A status other than the expected one refuses
   * the revision; 408, 429, 5xx and time-outs do not.
   */
  probe?: RouteProbe;
  /** Words that invariants speak of. */
  tags?: readonly string[];
}

/** A plain HTTP route. */
export function route(id: string, spec: RouteSpec): Route {
  return declare(route, id, spec, { kind: 'route', id });
}
