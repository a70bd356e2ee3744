/** Turns the parts of a snapshot into live ones, and collects every problem on the way. */
import { canonicalJson } from '../canonical-json.ts';
import type { ReadSecret, Transport } from '../providers/provider.ts';
import { readSecret, SecretMissing } from '../secrets.ts';
import {
  balancerKinds,
  policyKinds,
  providerKinds,
  strategyKinds,
  type ProviderSnapshot,
  type RouteSnapshot,
  type Snapshot,
  type TargetNode,
} from '../snapshot.ts';
import type { Pools } from '../upstream/pools.ts';
import { httpTransport } from '../upstream/send.ts';
import type { LiveModel, LiveProvider, LiveQuota, LiveRoute, LiveTarget } from './generation.ts';
import { bindPrompt } from './template.ts';

/** Collects problems, so that one bad reference does not hide the others. */
export class Builder {
  readonly problems: string[] = [];
  readonly origins: string[] = [];
  readonly targetLabels = new Set<string>();
  readonly #pools: Pools;
  readonly #snapshot: Snapshot;

  constructor(snapshot: Snapshot, pools: Pools) {
    this.#snapshot = snapshot;
    this.#pools = pools;
  }

  problem(object: string, text: string): void {
    const place = this.#snapshot.sources[object];
    this.problems.push(`${place ? `${place} ` : ''}${object}: ${text}`);
  }

  /** The named entry of a map; a missing one is a problem of `object`. */
  find<Value>(map: ReadonlyMap<string, Value>, name: string, object: string): Value | undefined {
    const value = map.get(name);
    if (value === undefined) this.problem(object, `refers to '${name}', which does not exist`);
    return value;
  }

  findAll<Value>(map: ReadonlyMap<string, Value>, names: readonly string[] | undefined, object: string): Value[] {
    return (names ?? []).flatMap((name) => this.find(map, name, object) ?? []);
  }

  #pool(origin: string) {
    this.origins.push(origin);
    return this.#pools.acquire(origin);
  }

  /** Undefined while an optional secret is absent; any other missing secret is a problem. */
  withSecrets<Value>(object: string, make: (read: ReadSecret) => Value): Value | undefined {
    try {
      return make((reference) => readSecret(reference));
    } catch (error) {
      if (!(error instanceof SecretMissing)) throw error;
      if (error.reference.optional !== true) this.problem(object, error.message);
      return undefined;
    }
  }

  provider(name: string, snapshot: ProviderSnapshot): LiveProvider {
    const kind = providerKinds[snapshot.kind];
    if (!kind) throw new TypeError(`unknown provider kind ${snapshot.kind}`);
    const live = this.withSecrets(`providers.${name}`, (read) => {
      const connection = kind.connect(snapshot.options, read);
      const models = new Map(
        Object.entries(snapshot.models).map(([id, { options }]) => [id, options ?? kind.modelOptions?.parse({})]),
      );
      const transport: Transport =
        kind.transport?.(snapshot.options, models) ?? httpTransport(this.#pool(connection.origin), connection);
      return { connection, transport };
    });
    return { name, kind, identity: canonicalJson(snapshot), live };
  }

  #target(
    node: Extract<TargetNode, { kind: 'target' }>,
    providers: ReadonlyMap<string, LiveProvider>,
    object: string,
  ): LiveTarget | undefined {
    const provider = this.find(providers, node.provider, object);
    const facts = this.#snapshot.providers[node.provider]?.models[node.model];
    if (!provider) return undefined;
    if (!facts) {
      this.problem(object, `provider '${node.provider}' declares no model '${node.model}'`);
      return undefined;
    }
    const label = `${node.provider}/${node.model}`;
    this.targetLabels.add(label);
    return {
      label,
      provider,
      model: node.model,
      maxOutputTokens: facts.maxOutputTokens,
      timeoutMs: node.timeout,
      retries: node.retries,
    };
  }

  /** The tree of groups as one function that draws an order. */
  order(node: TargetNode, providers: ReadonlyMap<string, LiveProvider>, object: string): LiveModel['order'] {
    if (node.kind === 'target') {
      const target = this.#target(node, providers, object);
      const fixed = target ? [target] : [];
      return () => fixed;
    }
    const balancer = balancerKinds[node.balance];
    if (!balancer) throw new TypeError(`unknown balancing ${node.balance}`);
    const children = node.of.map((child) => this.order(child.node, providers, object));
    const weights = node.of.map(({ weight }) => weight ?? 1);
    return (random) => balancer.order(weights, random).flatMap((index) => children[index]?.(random) ?? []);
  }

  model(
    name: string,
    parts: { providers: ReadonlyMap<string, LiveProvider>; quotas: ReadonlyMap<string, LiveQuota> },
  ): LiveModel {
    const object = `models.${name}`;
    const snapshot = this.#snapshot.models[name];
    if (!snapshot) throw new TypeError(`no model ${name}`);
    const prompt =
      snapshot.prompt && this.find(new Map(Object.entries(this.#snapshot.prompts)), snapshot.prompt.name, object);
    const policies = this.findAll(
      new Map(Object.entries(this.#snapshot.policies).map(([id, policy]) => [id, { id, policy }])),
      snapshot.policies,
      object,
    );
    return {
      name,
      order: this.order(snapshot.targets, parts.providers, object),
      render: prompt && bindPrompt(prompt, snapshot.prompt?.variables ?? {}),
      fit: snapshot.context === undefined ? undefined : this.fitting(snapshot.context, snapshot.targets, object),
      contextPolicy: snapshot.context,
      policies: policies.flatMap(({ id, policy }) => {
        const kind = policyKinds[policy.kind];
        return kind ? [{ name: id, check: kind.prepare(policy.options) }] : [];
      }),
      quotas: this.findAll(parts.quotas, snapshot.quotas, object),
    };
  }

  fitting(name: string, targets: TargetNode, object: string): LiveModel['fit'] {
    const policy = this.find(new Map(Object.entries(this.#snapshot.contextPolicies)), name, object);
    const strategy = policy && strategyKinds[policy.kind];
    if (!policy || !strategy) return undefined;
    // Any target may be the one that answers, so the smallest window counts.
    const window = Math.min(...windows(targets, this.#snapshot));
    if (strategy.budget(policy.options, window) <= 0)
      this.problem(object, `context policy '${name}' leaves no room in a window of ${window} tokens`);
    return (entries, room) => strategy.fit(entries, { ...room, window }, policy.options);
  }

  route(name: string, snapshot: RouteSnapshot, quotas: ReadonlyMap<string, LiveQuota>): LiveRoute | undefined {
    const object = `routes.${name}`;
    const upstream = this.find(new Map(Object.entries(this.#snapshot.upstreams)), snapshot.upstream, object);
    if (!upstream) return undefined;
    const url = new URL(upstream.url);
    const headers = this.withSecrets(`upstreams.${snapshot.upstream}`, (read) =>
      Object.fromEntries(
        Object.entries(upstream.headers ?? {}).map(([header, value]) => [
          header,
          typeof value === 'string' ? value : read(value),
        ]),
      ),
    );
    this.#pool(url.origin);
    return {
      name,
      methods: snapshot.methods && new Set<string>(snapshot.methods),
      host: snapshot.host,
      upstream: {
        name: snapshot.upstream,
        origin: url.origin,
        path: url.pathname.replace(/\/$/, ''),
        headers,
        timeoutMs: upstream.timeout,
      },
      stripPrefix: snapshot.stripPrefix?.replace(/\/$/, '') ?? '',
      retries: snapshot.retries,
      maxBodyBytes: snapshot.maxBodyBytes,
      quotas: this.findAll(quotas, snapshot.quotas, object),
    };
  }
}

function windows(node: TargetNode, snapshot: Snapshot): number[] {
  if (node.kind === 'group') return node.of.flatMap((child) => windows(child.node, snapshot));
  return [snapshot.providers[node.provider]?.models[node.model]?.contextWindow ?? Infinity];
}
