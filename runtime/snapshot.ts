/** The waist: the schema of the compiled snapshot, the one thing that authoring writes and serving reads. */
import { z } from 'zod';
import { duration } from './duration.ts';
import { balancerKinds, policyKinds, providerKinds, strategyKinds } from './kinds.ts';
import { secretReference } from './providers/options.ts';
import { consumer, organisation, team } from './snapshot-consumers.ts';
import { issuer } from './snapshot-issuers.ts';
import { priceTable } from './snapshot-prices.ts';
import { modelName, objectName, removedObject, tags, vendorModelId } from './snapshot-names.ts';
import { modelProbe } from './snapshot-probes.ts';
import { quota } from './snapshot-quotas.ts';
import { route, upstream } from './snapshot-routes.ts';
import { capabilityNames, modelKinds, type ModelFacts, type ProviderKind } from './providers/provider.ts';
import { rolloutSchema } from './rollout.ts';
import { snapshotFormat } from './snapshot-format.ts';
import type { SchemaMaker } from './zod.ts';

export { singleFields, snapshotFormat } from './snapshot-format.ts';
export type { SchemaMaker } from './zod.ts';

export { modelName, objectName } from './snapshot-names.ts';
export type { IssuerSnapshot } from './snapshot-issuers.ts';
export type { ConsumerSnapshot, KeyTermsSnapshot, OrganisationSnapshot, TeamSnapshot } from './snapshot-consumers.ts';

export {
  balancerKinds,
  contextKinds,
  policyKinds,
  policyKindTable,
  providerKinds,
  providerKindTable,
  strategyKinds,
} from './kinds.ts';
export { capabilityNames, modelKinds } from './providers/provider.ts';
export type { Capability, Connection, ModelFacts, ModelKind, SecretReference } from './providers/provider.ts';
/** What rules of authoring must judge exactly as serving does. */
export { estimateTokens } from './context/estimate.ts';
export { isPrivateHost } from './providers/options.ts';
export { conversationKinds } from './model-kind.ts';
export { usableModels } from './usable-models.ts';
export { apisFor } from './providers/provider.ts';
export { mostItCosts, nanoUsd, usdText, type Money } from './cost.ts';
export { everyPrice, pricesAt } from './prices.ts';
export type { DatedPrices, LongRates, Prices, PriceTable, Rates } from './prices.ts';
export {
  countedLimit,
  countsAt,
  formerOf,
  isCoveredBy,
  isSpentByModels,
  isZone,
  scopeOf,
  unstatedOutputTokens,
  windowOf,
} from './quota-terms.ts';
export type { QuotaScope, QuotaUnit } from './quota-terms.ts';
export type { QuotaSnapshot, QuotaWindowSnapshot } from './snapshot-quotas.ts';

interface Configured {
  readonly kind: string;
  /** Parsed by the kind's own schema. */
  readonly options: unknown;
}

const made = new WeakMap<SchemaMaker, z.ZodType>();

/** The schema of a kind's options, made once. */
export function schemaOf<Make extends SchemaMaker>(make: Make): ReturnType<Make> {
  const schema = made.get(make) ?? make(z);
  made.set(make, schema);
  // What this very maker has made.
  return schema as ReturnType<Make>;
}

/** One strict object per kind: its own options beside what every object of its sort has. */
function byKind<Kind extends { readonly options: SchemaMaker }, Parsed extends Configured = Configured>(
  kinds: Readonly<Record<string, Kind>>,
  shared: (kind: Kind) => z.ZodRawShape = () => ({}),
): z.ZodType<Parsed> {
  const choices = Object.entries(kinds).map(([name, kind]) =>
    z.strictObject({ kind: z.literal(name), options: schemaOf(kind.options), ...shared(kind) }),
  );
  // A registry is never empty and its names are only known at run time: the one cast that kinds as leaves cost.
  return z.discriminatedUnion('kind', choices as unknown as [z.ZodObject]) as unknown as z.ZodType<Parsed>;
}

export interface ProviderSnapshot extends Configured {
  readonly tags?: readonly string[] | undefined;
  readonly files?: z.output<typeof files> | undefined;
  readonly models: Readonly<Record<string, ModelFacts & { readonly options?: unknown }>>;
}

const facts = {
  kind: z.enum(modelKinds).optional(),
  contextWindow: z.int().min(1).max(100_000_000),
  maxOutputTokens: z.int().min(1).max(10_000_000).optional(),
  capabilities: z.array(z.enum(capabilityNames)).max(capabilityNames.length).optional(),
  prices: priceTable.optional(),
};

/** The account keeps files and batches for consumers. */
const files = z.strictObject({
  /** Makes the names by which consumers know what is theirs. */
  seal: secretReference(z),
  /** One consumer alone uses the account, and what was put there otherwise may be seen by it. */
  sole: z.boolean().optional(),
});

const provider = byKind<ProviderKind, ProviderSnapshot>(providerKinds, (kind) => ({
  tags,
  files: files.optional(),
  models: z.record(
    vendorModelId,
    z.strictObject({
      ...facts,
      options: (kind.modelOptions ? schemaOf(kind.modelOptions) : z.strictObject({})).optional(),
    }),
  ),
}));

const target = z.strictObject({
  kind: z.literal('target'),
  provider: objectName,
  /** The vendor's model id; a key of the provider's `models`. */
  model: vendorModelId,
  /** Until the response head, and between two pieces of the body. */
  timeout: duration(z, 1, 3_600_000).default(60_000),
  /** Of a stream: until the first piece of the answer itself. Pings do not count, as they do for `timeout`. */
  firstTokenTimeout: duration(z, 1, 3_600_000).optional(),
  /** Further tries at this target before the next one. */
  retries: z.int().min(0).max(5).default(0),
  /** Most requests that a replica has there at once. Others go to the next target, or wait their turn. */
  maxConcurrency: z.int().min(1).max(100_000).optional(),
});

export type TargetSnapshot = z.output<typeof target>;
export interface GroupSnapshot {
  readonly kind: 'group';
  readonly balance: string;
  /** Parsed by the strategy's own schema; absent where it has none. */
  readonly options?: unknown;
  readonly of: readonly { readonly weight?: number | undefined; readonly node: TargetNode }[];
}
export type TargetNode = TargetSnapshot | GroupSnapshot;

/** Members of one group. */
const mostMembers = 64;

const groups = Object.entries(balancerKinds).map(([name, { options, picksOne }]) =>
  z.strictObject({
    kind: z.literal('group'),
    balance: z.literal(name),
    ...(options && { options: schemaOf(options) }),
    of: z
      .array(
        z.strictObject({
          weight: z.number().positive().max(1_000_000).optional(),
          node: z.lazy((): z.ZodType<TargetNode> => targetNode),
        }),
      )
      .min(1)
      .max(picksOne ? 2 : mostMembers),
  }),
);

// As with kinds: the names of strategies are only known at run time.
const group = z.discriminatedUnion('balance', groups as unknown as [z.ZodObject]);

const targetNode = z.discriminatedUnion('kind', [target, group]) as unknown as z.ZodType<TargetNode>;

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
  /** What every target was checked to be able to do. */
  needs: z.array(z.enum(capabilityNames)).max(capabilityNames.length).optional(),
  targets: targetNode,
  /** For a whole request: every attempt, every pause between them, and the answer to its last byte. */
  deadline: duration(z, 1, 86_400_000).default(600_000),
  /** When a target that has not begun its answer is not waited for alone any more: the next one is asked as well. */
  hedge: duration(z, 1, 3_600_000).optional(),
  /** A target that cannot carry all of a request does not get it. */
  strict: z.boolean().optional(),
  prompt: z.strictObject({ name: objectName, variables: z.record(z.string(), valueSource) }).optional(),
  context: objectName.optional(),
  policies: z.array(objectName).max(64).optional(),
  tags,
  quotas: z.array(objectName).max(16).optional(),
  /** Asked of the targets tried first, before a revision that changes this model serves. */
  probe: modelProbe.optional(),
});

export const snapshotSchema = z.strictObject({
  format: z.literal(snapshotFormat),
  name: objectName,
  /** Why this revision may take most of what was served away; without it, the runtime refuses such a revision. */
  allowShrink: z.string().min(1).max(500).optional(),
  /** Models and routes that are taken away on purpose, with the reason: requests that still ask for them are not held against a revision. */
  removed: z.record(removedObject, z.string().min(1).max(500)).default({}),
  /** Absent: this revision serves everyone at once. */
  rollout: rolloutSchema.optional(),
  providers: z.record(objectName, provider),
  models: z.record(modelName, model),
  prompts: z.record(objectName, prompt),
  contextPolicies: z.record(objectName, byKind(strategyKinds)),
  policies: z.record(objectName, byKind(policyKinds)),
  quotas: z.record(objectName, quota),
  consumers: z.record(objectName, consumer),
  issuers: z.record(objectName, issuer).default({}),
  teams: z.record(objectName, team).default({}),
  organisations: z.record(objectName, organisation).default({}),
  upstreams: z.record(objectName, upstream),
  routes: z.record(objectName, route),
  /** `file:line:column` of each object, by `collection.name`: what status and explanations point at. */
  sources: z.record(z.string(), z.string()),
});

export type Snapshot = z.output<typeof snapshotSchema>;
export type SnapshotInput = z.input<typeof snapshotSchema>;
export type ModelSnapshot = z.output<typeof model>;
export type PromptSnapshot = z.output<typeof prompt>;
export type RouteSnapshot = z.output<typeof route>;
export type UpstreamSnapshot = z.output<typeof upstream>;
export type ValueSource = z.output<typeof valueSource>;
