/** The functions a repository declares its objects with. Each records where it was called and returns a value to refer by. */
import type { contextKinds, policyKindTable, providerKindTable } from '@headgate/runtime/snapshot';
import type { z } from 'zod';
import { declare } from './site.ts';
import type {
  BoundPrompt,
  Consumer,
  ContextPolicy,
  Duration,
  Group,
  Model,
  Policy,
  Prompt,
  Provider,
  Quota,
  Route,
  Secret,
  Target,
  TargetOptions,
  Upstream,
} from './handles.ts';

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
type OptionsOf<Kind> = Kind extends { readonly options: infer Schema extends z.ZodType } ? InputOf<Schema> : never;
type ModelOptionsOf<Kind> = Kind extends { readonly modelOptions: infer Schema extends z.ZodType }
  ? InputOf<Schema>
  : {};

export interface ModelFacts {
  /** Most tokens the model takes, input and output together. */
  contextWindow: number;
  /** Most tokens it answers with. Sent as the cap where the vendor demands one and the client gave none. */
  maxOutputTokens?: number;
}

type ProviderSpec<Kind extends keyof ProviderKinds, Models> = {
  /** How this vendor is spoken to. */
  kind: Kind;
  /** The vendor's model ids this account may be used for. */
  models: { [Id in keyof Models]: ModelFacts & ModelOptionsOf<ProviderKinds[Kind]> };
  /** Words that invariants speak of. */
  tags?: readonly string[];
} & OptionsOf<ProviderKinds[Kind]>;

/** One account at one vendor. */
export function provider<const Kind extends keyof ProviderKinds, const Models extends Record<string, unknown>>(
  id: string,
  spec: ProviderSpec<Kind, Models>,
): Provider<keyof Models & string> {
  const target = (model: string, options: TargetOptions = {}): Target =>
    declare(target, '', { model, options }, { kind: 'target', provider: id, model, options });
  return declare(provider, id, spec, { kind: 'provider', id, target });
}

/** Draws the first choice by weight; the others are fallbacks. Groups nest. */
export function weighted(...of: readonly [Weighted, ...Weighted[]]): Group {
  return declare(weighted, '', { of }, { kind: 'group', balance: 'weighted', of });
}

export interface Weighted {
  /** Relative share; need not add up to anything. */
  weight: number;
  target: Target | Group;
}

/** Tries its members in order. What a plain list of targets means too; useful inside other groups. */
export function ordered(...targets: readonly [Target | Group, ...(Target | Group)[]]): Group {
  const of = targets.map((target) => ({ target }));
  return declare(ordered, '', { of }, { kind: 'group', balance: 'ordered', of });
}

export interface ModelSpec {
  /** Where requests go: the first that answers, in this order. A target never starts once the client has seen a byte. */
  targets: readonly [Target | Group, ...(Target | Group)[]];
  /** Stands before the client's own messages. */
  prompt?: BoundPrompt | Prompt<{}>;
  /** Keeps conversations inside the window. Without one, messages pass as they are. */
  context?: ContextPolicy;
  /** Rules over what goes in; all must pass. */
  policies?: readonly Policy[];
  /** Limits that every call of this model draws from. */
  quotas?: readonly Quota[];
  /** Words that invariants speak of. */
  tags?: readonly string[];
}

/** A name that clients ask for, and what stands behind it. */
export function model(id: string, spec: ModelSpec): Model {
  return declare(model, id, spec, { kind: 'model', id });
}

export interface QuotaSpec {
  /** What is counted. */
  unit: 'requests';
  /** Most units per window. */
  limit: number;
  /** Length of the window; windows are aligned to the clock (UTC), so `'1h'` begins anew on the hour. */
  window: Duration;
  /** Whose count it is: each consumer's own (default) or one for the whole gateway. */
  scope?: 'consumer' | 'gateway';
  /** When the store does not answer: refuse with 503 (`'closed'`, default), or serve uncounted (`'open'`). */
  onStoreDown?: 'closed' | 'open';
}

/** A limit. It is one count: attached in two places, both draw from it. Its name keeps the count when the limit is edited. */
export function quota(id: string, spec: QuotaSpec): Quota {
  return declare(quota, id, spec, { kind: 'quota', id });
}

type KindSpec<Kinds> = { [Kind in keyof Kinds]: { kind: Kind } & OptionsOf<Kinds[Kind]> }[keyof Kinds];

/** Which messages of a conversation go to the model. */
export function contextPolicy(id: string, spec: KindSpec<typeof contextKinds>): ContextPolicy {
  return declare(contextPolicy, id, spec, { kind: 'context-policy', id });
}

/** One rule over what goes in. */
export function policy(id: string, spec: KindSpec<typeof policyKindTable>): Policy {
  return declare(policy, id, spec, { kind: 'policy', id });
}

export interface ConsumerSpec {
  /** `sha256:…` of each key, as `headgate keys create` prints it. Two at once allow rotation. */
  keys: readonly `sha256:${string}`[];
  /** The models it may use. Default: all. */
  models?: readonly Model[];
  /** The routes it may use. Default: all. */
  routes?: readonly Route[];
  /** Limits that every request of this consumer draws from. */
  quotas?: readonly Quota[];
  /** Words that invariants speak of. */
  tags?: readonly string[];
}

/** Who calls. */
export function consumer(id: string, spec: ConsumerSpec): Consumer {
  return declare(consumer, id, spec, { kind: 'consumer', id });
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
  /** Words that invariants speak of. */
  tags?: readonly string[];
}

/** A plain HTTP route. */
export function route(id: string, spec: RouteSpec): Route {
  return declare(route, id, spec, { kind: 'route', id });
}
