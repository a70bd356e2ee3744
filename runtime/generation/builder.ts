/** Turns models, routes and consumers of a snapshot into live ones; the same again whenever it is asked again. */
import { AddressRanges } from '../address-ranges.ts';
import { conversationKinds } from '../model-kind.ts';
import { apisFor } from '../providers/provider.ts';
import { strategyKinds } from '../kinds.ts';
import type { ConsumerSnapshot, ModelSnapshot, RouteSnapshot, TargetNode, TargetSnapshot } from '../snapshot.ts';
import type { LiveAccount, LiveConsumer, LiveModel, LiveQuota, LiveRoute, LiveTarget } from './live.ts';
import { liveOrder } from './live-order.ts';
import { allOrders } from './orders.ts';
import { credentialOf, narrowed } from './live-consumer.ts';
import type { SharedParts } from './shared-parts.ts';
import { bindPrompt } from './template.ts';

const nothing: never[] = [];

export class Builder {
  readonly targetLabels = new Set<string>();
  readonly #parts: SharedParts;
  readonly #soleConsumers = new Map<string, string>();
  readonly #methods = new Map<string, ReadonlySet<string>>();

  constructor(parts: SharedParts) {
    this.#parts = parts;
  }

  #quotas(names: readonly string[] | undefined, object: string): readonly LiveQuota[] {
    return names ? names.flatMap((name) => this.#parts.find(this.#parts.quotas, name, object) ?? []) : nothing;
  }

  #target(node: TargetSnapshot, object: string): LiveTarget | undefined {
    const provider = this.#parts.find(this.#parts.providers, node.provider, object);
    if (!provider) return undefined;
    const models = this.#parts.vendorModels.get(node.provider) ?? {};
    const facts = Object.hasOwn(models, node.model) ? models[node.model] : undefined;
    if (!facts) {
      this.#parts.problem(object, `provider '${node.provider}' declares no model '${node.model}'`);
      return undefined;
    }
    const { kind = 'chat' } = facts;
    const isTalking = conversationKinds.includes(kind);
    if (isTalking && provider.live && apisFor(provider.live.connection, kind).length === 0)
      this.#parts.problem(
        object,
        `provider '${node.provider}' has no API for '${node.model}', a model of kind ${kind}`,
      );
    const label = `${node.provider}/${node.model}`;
    this.targetLabels.add(label);
    return {
      label,
      provider,
      model: node.model,
      upstream: `${provider.live?.place ?? ''} ${node.model}`,
      contextWindow: facts.contextWindow,
      kind,
      maxOutputTokens: facts.maxOutputTokens,
      timeoutMs: node.timeout,
      firstTokenTimeoutMs: node.firstTokenTimeout,
      retries: node.retries,
      maxConcurrency: node.maxConcurrency,
      prices: facts.prices,
      tags: provider.tags,
      capabilities: facts.capabilities,
    };
  }

  model(name: string, snapshot: ModelSnapshot): LiveModel {
    const object = `models.${name}`;
    const parts = this.#parts;
    const prompt = snapshot.prompt && parts.find(parts.prompts, snapshot.prompt.name, object);
    const built = new Map<TargetNode, LiveTarget | undefined>();
    const targetOf = (node: TargetSnapshot): LiveTarget | undefined => {
      if (!built.has(node)) built.set(node, this.#target(node, object));
      return built.get(node);
    };
    const tree = { node: snapshot.targets, name, leaves: { targetOf } };
    return {
      name,
      tags: snapshot.tags ?? nothing,
      deadlineMs: snapshot.deadline,
      hedgeMs: snapshot.hedge,
      isStrict: snapshot.strict === true,
      order: liveOrder(tree),
      orders: (asking) => allOrders(tree, asking),
      prompt: snapshot.prompt?.name,
      render: prompt && bindPrompt(prompt, snapshot.prompt?.variables ?? {}),
      fit: snapshot.context === undefined ? undefined : this.#fitting(snapshot.context, snapshot.targets, object),
      contextPolicy: snapshot.context,
      policies: (snapshot.policies ?? nothing).flatMap((policy) => parts.find(parts.policies, policy, object) ?? []),
      quotas: this.#quotas(snapshot.quotas, object),
    };
  }

  #fitting(name: string, targets: TargetNode, object: string): LiveModel['fit'] {
    const policy = this.#parts.find(this.#parts.contextPolicies, name, object);
    const strategy = policy && strategyKinds[policy.kind];
    if (!policy || !strategy) return undefined;
    // Any target may be the one that answers, so the smallest window counts.
    const window = Math.min(...this.#windows(targets));
    if (strategy.budget(policy.options, window) <= 0)
      this.#parts.problem(object, `context policy '${name}' leaves no room in a window of ${window} tokens`);
    return (entries, room) => strategy.fit(entries, { ...room, window }, policy.options);
  }

  #windows(node: TargetNode): number[] {
    if (node.kind === 'group') return node.of.flatMap((child) => this.#windows(child.node));
    return [this.#parts.vendorModels.get(node.provider)?.[node.model]?.contextWindow ?? Infinity];
  }

  /** The accounts that keep a consumer's files. One that is a consumer's alone is no other's as well. */
  #accounts(name: string, files: readonly string[]): readonly LiveAccount[] {
    const object = `consumers.${name}`;
    return files.flatMap((provider) => {
      const found = this.#parts.find(this.#parts.providers, provider, object);
      const { account } = found ?? {};
      if (found && !account)
        this.#parts.problem(object, `provider '${provider}' has no files: say there how ids are sealed`);
      if (!account?.isSole) return account ?? [];
      const other = this.#soleConsumers.get(provider) ?? name;
      this.#soleConsumers.set(provider, other);
      if (other !== name)
        this.#parts.problem(object, `provider '${provider}' is the sole account of consumer '${other}' already`);
      return account;
    });
  }

  /** As the key with `digest` opens it. */
  consumer(name: string, snapshot: ConsumerSnapshot, digest: string): LiveConsumer {
    const { team, organisation, addresses, files, quotas, tags = nothing } = snapshot;
    const terms = snapshot.keyTerms?.[`sha256:${digest}`];
    const accounts = files ? this.#accounts(name, files) : nothing;
    const isBound = terms?.models !== undefined || terms?.routes !== undefined || terms?.prompts !== undefined;
    const { models, routes, prompts } = snapshot;
    const ofConsumer = { models, routes, prompts, hasFiles: accounts.length > 0 };
    return {
      name,
      team,
      organisation,
      credential: { ...credentialOf(digest, terms), ...(isBound && { ofConsumer }) },
      addresses: addresses && new AddressRanges(addresses),
      tags,
      models: narrowed(models, terms?.models),
      routes: narrowed(routes, terms?.routes),
      prompts: narrowed(prompts, terms?.prompts),
      // What is kept there may be used by any model: a key for some of them opens none of it.
      accounts: isBound ? nothing : accounts,
      quotas: this.#quotas(quotas, `consumers.${name}`),
    };
  }

  #methodSet(methods: RouteSnapshot['methods']): ReadonlySet<string> | undefined {
    if (!methods) return undefined;
    const spelled = methods.join();
    const set = this.#methods.get(spelled) ?? new Set<string>(methods);
    this.#methods.set(spelled, set);
    return set;
  }

  /** Undefined only where its upstream is missing, which is a problem. */
  route(name: string, snapshot: RouteSnapshot): LiveRoute | undefined {
    const object = `routes.${name}`;
    const upstream = this.#parts.find(this.#parts.upstreams, snapshot.upstream, object);
    if (!upstream) return undefined;
    return {
      name,
      tags: snapshot.tags ?? nothing,
      methods: this.#methodSet(snapshot.methods),
      host: snapshot.host,
      upstream,
      stripPrefix: snapshot.stripPrefix?.replace(/\/$/, '') ?? '',
      retries: snapshot.retries,
      maxBodyBytes: snapshot.maxBodyBytes,
      quotas: this.#quotas(snapshot.quotas, object),
    };
  }
}
