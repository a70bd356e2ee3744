/** What the models, routes and consumers of one generation share: providers, quotas, prompts, policies, upstreams, and the pools they hold. */
import { Pace } from '../pace.ts';
import type { Packed, PackedSnapshot } from '../packed.ts';
import { canonicalJson } from '../canonical-json.ts';
import { eachKey } from '../providers/options.ts';
import type { ProviderKind, ReadSecret, SecretReference } from '../providers/provider.ts';
import { SecretMissing } from '../secrets.ts';
import { policyKinds, providerKinds } from '../kinds.ts';
import type { ProviderSnapshot, PromptSnapshot, Snapshot, UpstreamSnapshot } from '../snapshot.ts';
import { formerOf, isZone, windowOf } from '../quota-terms.ts';
import { digestOf } from '../upstream/keys.ts';
import type { Pools } from '../upstream/pools.ts';
import { leastSecretChars, Seal } from '../seal.ts';
import { httpPassage, httpTransport } from '../upstream/send.ts';
import type { LiveConnection, LiveModel, LiveProvider, LiveQuota, LiveRoute } from './live.ts';
import { liveQuota } from './live-quota.ts';
import { OnDemand, positionsOf, type Directory } from './on-demand.ts';
import { lookUpSources } from './sources.ts';

type ContextPolicy = Snapshot['contextPolicies'][string];

/** Prompts can be long: of many, only some are kept for the next model that uses them. */
const mostPromptsKept = 64;

/** What of the process a generation is built with. */
export interface Outside {
  readonly pools: Pools;
  readonly readSecret: ReadSecret;
}

/** Collects problems, so that one bad reference does not hide the others. */
export class SharedParts {
  readonly problems: string[] = [];
  readonly providers = new Map<string, LiveProvider>();
  /** What providers declare about their models, by provider. */
  readonly vendorModels = new Map<string, ProviderSnapshot['models']>();
  readonly quotas = new Map<string, LiveQuota>();
  readonly prompts: Directory<PromptSnapshot>;
  readonly policies: Directory<LiveModel['policies'][number] | undefined>;
  readonly contextPolicies: Directory<ContextPolicy>;
  readonly upstreams: Directory<LiveRoute['upstream']>;
  readonly #pools: Pools;
  readonly #readSecret: ReadSecret;
  readonly #held = new Map<string, ReturnType<Pools['acquire']>>();
  /** `file:line:column` of an object. */
  readonly sourceOf: (object: string) => string | undefined;
  readonly #unfilled: { readonly collection: Packed<unknown>; readonly positions: Map<string, number> }[] = [];

  constructor(
    { prompts, policies, contextPolicies, upstreams, sources }: PackedSnapshot,
    { pools, readSecret }: Outside,
  ) {
    this.#pools = pools;
    this.#readSecret = readSecret;
    this.sourceOf = lookUpSources(sources);
    this.prompts = this.#directory(prompts, (_name, prompt) => prompt, mostPromptsKept);
    this.contextPolicies = this.#directory(contextPolicies, (_name, policy) => policy);
    this.upstreams = this.#directory(upstreams, (name, upstream) => this.#upstream(name, upstream));
    this.policies = this.#directory(policies, (name, { kind, options }) => {
      const check = policyKinds[kind]?.prepare(options);
      return check && { name, check };
    });
  }

  #directory<Member, Value>(
    collection: Packed<Member>,
    make: (name: string, member: Member) => Value,
    mostKept?: number,
  ): Directory<Value> {
    const positions = new Map<string, number>();
    this.#unfilled.push({ collection, positions });
    return new OnDemand(positions, (position) => make(...collection.at(position)), mostKept);
  }

  /** Builds what is needed at once, and the indexes of the rest. */
  async prepare({ providers, quotas }: PackedSnapshot, pace: Pace): Promise<void> {
    for (const { collection, positions } of this.#unfilled.splice(0)) await positionsOf(collection, pace, positions);
    await pace.each(providers, ([name, provider]) => {
      this.vendorModels.set(name, provider.models);
      this.providers.set(name, this.#provider(name, provider));
    });
    await pace.each(quotas, ([name, quota]) => {
      for (const window of [windowOf(quota), formerOf(name, quota)?.window])
        if (typeof window === 'object' && 'zone' in window && !isZone(window.zone))
          this.problem(`quotas.${name}`, `this runtime knows no time zone '${window.zone}'`);
      this.quotas.set(name, liveQuota(name, quota));
    });
  }

  problem(object: string, text: string): void {
    const place = this.sourceOf(object);
    this.problems.push(`${place ? `${place} ` : ''}${object}: ${text}`);
  }

  /** The named entry; a missing one is a problem of `object`. */
  find<Value>(parts: { get(name: string): Value | undefined }, name: string, object: string): Value | undefined {
    const value = parts.get(name);
    if (value === undefined) this.problem(object, `refers to '${name}', which does not exist`);
    return value;
  }

  /** Undefined for what is not connected, or not over HTTP. */
  originOf(provider: string): string | undefined {
    const { kind, live } = this.providers.get(provider) ?? {};
    return kind?.transport ? undefined : live?.connection.origin;
  }

  /** One hold on a pool for the whole generation, however many objects use it. */
  #pool(origin: string) {
    const held = this.#held.get(origin) ?? this.#pools.acquire(origin);
    this.#held.set(origin, held);
    return held;
  }

  /** Gives back what was acquired, in helpings where it is much. */
  dispose(): void {
    const origins = [...this.#held.keys()];
    this.#held.clear();
    void new Pace().each(origins, (origin) => this.#pools.release(origin));
  }

  /** Undefined while an optional secret is absent; any other missing secret is a problem. */
  #withSecrets<Value>(object: string, make: (read: ReadSecret) => Value): Value | undefined {
    try {
      return make(this.#readSecret);
    } catch (error) {
      if (!(error instanceof SecretMissing)) throw error;
      if (error.reference.optional !== true) this.problem(object, error.message);
      return undefined;
    }
  }

  #provider(name: string, snapshot: ProviderSnapshot): LiveProvider {
    const kind = providerKinds[snapshot.kind];
    if (!kind) throw new TypeError(`unknown provider kind ${snapshot.kind}`);
    const tags = snapshot.tags ?? [];
    const live = this.#live(name, snapshot, kind);
    const { files } = snapshot;
    if (!files) return { name, tags, kind, live, account: undefined };
    if (live && !live.connection.holdings)
      this.problem(`providers.${name}`, `has files, and what kind ${snapshot.kind} keeps is not known here`);
    return {
      name,
      tags,
      kind,
      live,
      account: { name, live, isSole: files.sole === true, seal: this.#seal(name, files.seal) },
    };
  }

  #seal(name: string, reference: SecretReference): Seal | undefined {
    const object = `providers.${name}`;
    const secret = this.#withSecrets(object, (read) => read(reference));
    if (secret === undefined || secret.length >= leastSecretChars)
      return secret === undefined ? undefined : new Seal(secret);
    this.problem(
      object,
      `secret ${reference.$secret} has fewer than ${leastSecretChars} characters: anybody could guess it`,
    );
    return undefined;
  }

  /** One connection for each key whose secret is there. */
  #live(name: string, snapshot: ProviderSnapshot, kind: ProviderKind): LiveConnection | undefined {
    const models = new Map(
      Object.entries(snapshot.models).map(([id, { options }]) => [id, options ?? kind.plainModel]),
    );
    const all = eachKey(snapshot.options).flatMap((options, index) => {
      const connection = this.#withSecrets(`providers.${name}`, (read) => kind.connect(options, read));
      if (!connection) return [];
      const { origin, headers } = connection;
      const own = kind.transport?.(options, models);
      const pass = own ? undefined : httpPassage(this.#pool(origin), connection);
      const transport = own ?? (pass && httpTransport(pass));
      if (!transport) return [];
      // Where the headers hold no credential, the options name it.
      const id = digestOf(origin, canonicalJson(headers), canonicalJson(options));
      return [{ connection, key: { id, position: index + 1, transport, pass } }];
    });
    const [first, ...others] = all;
    if (!first) return undefined;
    const { origin, apis } = first.connection;
    // What answers in this process is at no place that another provider, or another revision of this one, could share.
    const place = kind.transport
      ? digestOf(name, canonicalJson(snapshot))
      : origin + apis[0].address({ model: 'any' }).path;
    return { connection: first.connection, place, keys: [first.key, ...others.map(({ key }) => key)] };
  }

  #upstream(name: string, snapshot: UpstreamSnapshot): LiveRoute['upstream'] {
    const url = new URL(snapshot.url);
    const headers = this.#withSecrets(`upstreams.${name}`, (read) =>
      Object.fromEntries(
        Object.entries(snapshot.headers ?? {}).map(([header, value]) => [
          header,
          typeof value === 'string' ? value : read(value),
        ]),
      ),
    );
    this.#pool(url.origin);
    return { name, origin: url.origin, path: url.pathname.replace(/\/$/, ''), headers, timeoutMs: snapshot.timeout };
  }
}
