/** The waist: the schema of the compiled snapshot, the one thing that authoring writes and serving reads. */
import { z } from 'zod';
import * as balancers from './balancing/index.ts';
import type { Balancer } from './balancing/balancer.ts';
import * as strategies from './context/index.ts';
import type { ContextStrategy } from './context/strategy.ts';
import { duration } from './duration.ts';
import * as policies from './policies/index.ts';
import type { PolicyKind } from './policies/policy.ts';
import * as providers from './providers/index.ts';
import { secretReference } from './providers/options.ts';
import type { ModelFacts, ProviderKind } from './providers/provider.ts';

export const snapshotFormat = 'headgate/snapshot.v1';

/** Kinds by name. The `Record` view is what the core sees: it loops over kinds and never names one. */
export const providerKinds: Readonly<Record<string, ProviderKind>> = providers;
export const policyKinds: Readonly<Record<string, PolicyKind>> = policies;
export const strategyKinds: Readonly<Record<string, ContextStrategy>> = strategies;
export const balancerKinds: Readonly<Record<string, Balancer>> = balancers;

/** The same registries with their exact types, for authoring. */
export { policies as policyKindTable, providers as providerKindTable, strategies as contextKinds };
export type { SecretReference } from './providers/provider.ts';

/** Names of objects. They start with a letter or digit, so nothing inherited (`__proto__`) can be one. */
export const objectName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'use up to 64 letters, digits, dots, dashes or underscores');
/** Names of models: what clients send, so vendor spellings such as `meta/llama-3:8b` are allowed. */
export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.:/@-]{0,127}$/, 'use up to 128 letters, digits and . : / @ _ -');

/** Vendors' own spellings; visible ASCII, because it stands in a response header. */
const vendorModelId = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'use up to 200 visible ASCII characters');

interface Configured {
  readonly kind: string;
  /** Parsed by the kind's own schema. */
  readonly options: unknown;
}

/** One strict object per kind: its own options beside what every object of its sort has. */
function byKind<Kind extends { readonly options: z.ZodType }, Parsed extends Configured = Configured>(
  kinds: Readonly<Record<string, Kind>>,
  shared: (kind: Kind) => z.ZodRawShape = () => ({}),
): z.ZodType<Parsed> {
  const choices = Object.entries(kinds).map(([name, kind]) =>
    z.strictObject({ kind: z.literal(name), options: kind.options, ...shared(kind) }),
  );
  // A registry is never empty and its names are only known at run time: the one cast that kinds as leaves cost.
  return z.discriminatedUnion('kind', choices as unknown as [z.ZodObject]) as unknown as z.ZodType<Parsed>;
}

/** Words for rules about the configuration; serving never looks at them. */
const tags = z
  .array(
    z.string().regex(/^[A-Za-z0-9][\w.:-]{0,63}$/, 'use up to 64 letters, digits, dots, colons, dashes or underscores'),
  )
  .max(32)
  .optional();

export interface ProviderSnapshot extends Configured {
  readonly tags?: readonly string[] | undefined;
  readonly models: Readonly<Record<string, ModelFacts & { readonly options?: unknown }>>;
}

const facts = {
  contextWindow: z.int().min(1).max(100_000_000),
  maxOutputTokens: z.int().min(1).max(10_000_000).optional(),
};

const provider = byKind<ProviderKind, ProviderSnapshot>(providerKinds, (kind) => ({
  tags,
  models: z.record(
    vendorModelId,
    z.strictObject({ ...facts, options: (kind.modelOptions ?? z.strictObject({})).optional() }),
  ),
}));

const target = z.strictObject({
  kind: z.literal('target'),
  provider: objectName,
  /** The vendor's model id; a key of the provider's `models`. */
  model: vendorModelId,
  /** Until the response head, and between two pieces of the body. */
  timeout: duration(1, 3_600_000).default(60_000),
  /** Further tries at this target before the next one. */
  retries: z.int().min(0).max(5).default(0),
});

export type TargetSnapshot = z.output<typeof target>;
export interface GroupSnapshot {
  readonly kind: 'group';
  readonly balance: string;
  readonly of: readonly { readonly weight?: number | undefined; readonly node: TargetNode }[];
}
export type TargetNode = TargetSnapshot | GroupSnapshot;

const targetNode: z.ZodType<TargetNode> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    target,
    z.strictObject({
      kind: z.literal('group'),
      balance: z.enum(Object.keys(balancers) as [string, ...string[]]),
      of: z
        .array(z.strictObject({ weight: z.number().positive().max(1_000_000).optional(), node: targetNode }))
        .min(1)
        .max(64),
    }),
  ]),
);

const valueSource = z.union([
  z.string().max(10_000),
  z.strictObject({
    from: z.enum(['header', 'metadata']),
    /** Header name, or key of the request's `metadata`. */
    name: z.string().regex(/^[A-Za-z0-9][\w.-]{0,127}$/),
    default: z.string().max(10_000).optional(),
  }),
]);

const prompt = z.strictObject({
  /** Becomes a system message before the client's own messages. `{{name}}` is a variable. */
  system: z.string().max(400_000).optional(),
  /** Becomes a user message after `system`. */
  user: z.string().max(400_000).optional(),
  /** Variables limited to a fixed set of words. */
  choices: z.record(z.string(), z.array(z.string()).min(1)).optional(),
  /** Example values by fixture name: what a candidate is probed with and what reviewers see rendered. */
  fixtures: z.record(objectName, z.record(z.string(), z.string())).optional(),
});

const model = z.strictObject({
  targets: targetNode,
  prompt: z.strictObject({ name: objectName, variables: z.record(z.string(), valueSource) }).optional(),
  context: objectName.optional(),
  policies: z.array(objectName).max(64).optional(),
  tags,
  quotas: z.array(objectName).max(16).optional(),
});

const quota = z.strictObject({
  unit: z.literal('requests'),
  limit: z.int().min(1).max(1_000_000_000),
  window: duration(1_000, 31 * 86_400_000),
  /** `consumer`: each consumer has its own count. `gateway`: one count for all. */
  scope: z.enum(['consumer', 'gateway']).default('consumer'),
  /** When the store does not answer: `closed` refuses with 503, `open` serves uncounted. */
  onStoreDown: z.enum(['closed', 'open']).default('closed'),
});

const consumer = z.strictObject({
  /** `sha256:` and the hex digest of the whole key. Two at once allow rotation. */
  keys: z
    .array(
      z
        .string()
        .regex(/^sha256:[0-9a-f]{64}$/, "write 'sha256:' and 64 hex digits, as `headgate keys create` prints them"),
    )
    .max(16),
  /** Models this consumer may use; absent means all. */
  models: z.array(modelName).optional(),
  /** Routes this consumer may use; absent means all. */
  routes: z.array(objectName).optional(),
  tags,
  quotas: z.array(objectName).max(16).optional(),
});

const httpUrl = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
  );
}, 'write an http(s) URL without credentials, query or fragment');

const upstream = z.strictObject({
  url: httpUrl,
  /** Sent with every request, in place of the client's own of the same name. */
  headers: z
    .record(
      z.string().regex(/^[a-z0-9-]+$/, 'write header names in lower case'),
      z.union([z.string(), secretReference]),
    )
    .optional(),
  timeout: duration(1, 3_600_000).default(30_000),
});

const routePath = z
  .string()
  .regex(
    /^\/(\*|(?!v1(beta)?(\/|$))[\w\-.~%]+(\/[\w\-.~%]+)*(\/\*?)?)?$/,
    "write a path such as '/orders' or '/orders/*'; /v1/ and /v1beta/ belong to the model APIs",
  );

const route = z.strictObject({
  /** Exact, or a prefix when it ends in `/*`. */
  path: routePath,
  methods: z
    .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']))
    .min(1)
    .optional(),
  /** Host the client must have asked for, without port. */
  host: z
    .string()
    .regex(/^[a-z0-9.-]+$/)
    .optional(),
  upstream: objectName,
  /** Taken off the front of the path before forwarding. */
  stripPrefix: z
    .string()
    .regex(/^\/[\w\-./~%]*$/)
    .optional(),
  /** Further tries of GET, HEAD and OPTIONS when no connection could be made or it broke before an answer. */
  retries: z.int().min(0).max(5).default(1),
  maxBodyBytes: z.int().min(0).max(1_073_741_824).default(10_485_760),
  tags,
  quotas: z.array(objectName).max(16).optional(),
});

export const snapshotSchema = z.strictObject({
  format: z.literal(snapshotFormat),
  name: objectName,
  /** Why this revision may take most of what was served away; without it, the runtime refuses such a revision. */
  allowShrink: z.string().min(1).max(500).optional(),
  providers: z.record(objectName, provider),
  models: z.record(modelName, model),
  prompts: z.record(objectName, prompt),
  contextPolicies: z.record(objectName, byKind(strategyKinds)),
  policies: z.record(objectName, byKind(policyKinds)),
  quotas: z.record(objectName, quota),
  consumers: z.record(objectName, consumer),
  upstreams: z.record(objectName, upstream),
  routes: z.record(objectName, route),
  /** `file:line:column` of each object, by `collection.name`: what status and explanations point at. */
  sources: z.record(z.string(), z.string()),
});

export type Snapshot = z.output<typeof snapshotSchema>;
export type SnapshotInput = z.input<typeof snapshotSchema>;
export type ModelSnapshot = z.output<typeof model>;
export type PromptSnapshot = z.output<typeof prompt>;
export type QuotaSnapshot = z.output<typeof quota>;
export type ConsumerSnapshot = z.output<typeof consumer>;
export type RouteSnapshot = z.output<typeof route>;
export type UpstreamSnapshot = z.output<typeof upstream>;
export type ValueSource = z.output<typeof valueSource>;
