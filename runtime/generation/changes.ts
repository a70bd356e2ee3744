/**
 * What one revision changed against another: which targets, models and routes it brought or touched. What it left as it
 * was is the control group, which tells a bad revision from bad weather.
 */
import { canonicalJson } from '../canonical-json.ts';
import { Packed, type PackedSnapshot } from '../packed.ts';
import type {
  ModelSnapshot,
  ProviderSnapshot,
  QuotaSnapshot,
  RouteSnapshot,
  TargetNode,
  UpstreamSnapshot,
} from '../snapshot.ts';
import type { Blame } from './health.ts';

/** The content of an object, such as `models.chat`; undefined when there is none of that name. */
export type MemberOf = (object: string) => unknown;

/** Scheme, host and port that a provider is really connected to; undefined when it is not, or answers in process. */
export type OriginOf = (provider: string) => string | undefined;

export interface Compared {
  readonly memberOf: MemberOf;
  /** Every `provider/model` that some model may be sent to. */
  readonly targetLabels: ReadonlySet<string>;
  readonly originOf: OriginOf;
  /** Whether requests for an object may fail that were served before. */
  readonly isRemoved: (object: string) => boolean;
}

/** The index of a collection is made when something in it is first asked for. */
export function comparable(
  snapshot: PackedSnapshot,
  { targetLabels, originOf }: Pick<Compared, 'targetLabels' | 'originOf'>,
): Compared {
  const indexes = new Map<Packed<unknown>, ReadonlyMap<string, number>>();
  const memberOf: MemberOf = (object) => {
    const dot = object.indexOf('.');
    const collection = snapshot[object.slice(0, dot) as keyof PackedSnapshot];
    if (!(collection instanceof Packed)) return undefined;
    const index = indexes.get(collection) ?? new Map(collection.names().map((name, position) => [name, position]));
    indexes.set(collection, index);
    const position = index.get(object.slice(dot + 1));
    return position === undefined ? undefined : collection.at(position)[1];
  };
  const isRemoved = (object: string) =>
    snapshot.allowShrink !== undefined || memberOf(`removed.${object}`) !== undefined;
  return { memberOf, targetLabels, originOf, isRemoved };
}

function* providersOf(node: TargetNode): Generator<string> {
  if (node.kind === 'target') yield `providers.${node.provider}`;
  else for (const { node: child } of node.of) yield* providersOf(child);
}

const named = (collection: string, names: readonly string[] = []): string[] =>
  names.map((name) => `${collection}.${name}`);

/** The object itself and all that a request for it goes through. */
function partsOf(object: string, memberOf: MemberOf): readonly string[] {
  const member = memberOf(object);
  if (member === undefined) return [object];
  if (object.startsWith('routes.')) {
    const { upstream, quotas } = member as RouteSnapshot;
    return [object, `upstreams.${upstream}`, ...named('quotas', quotas)];
  }
  const { targets, prompt, context, policies, quotas } = member as ModelSnapshot;
  const cheaper = named('quotas', quotas).flatMap(
    (quota) => (memberOf(quota) as QuotaSnapshot | undefined)?.downgrade?.to ?? [],
  );
  return [
    object,
    ...(prompt ? [`prompts.${prompt.name}`] : []),
    ...(context === undefined ? [] : [`contextPolicies.${context}`]),
    ...named('policies', policies),
    ...named('quotas', quotas),
    ...named('models', cheaper),
    ...providersOf(targets),
  ];
}

const upstreamLabel = 'upstream:';

/** What of a target's provider or upstream decides how it answers; what is declared about it, such as prices, does not. */
function meansOf(label: string, { memberOf, originOf }: Compared) {
  if (label.startsWith(upstreamLabel)) {
    const upstream = memberOf(`upstreams.${label.slice(upstreamLabel.length)}`) as UpstreamSnapshot | undefined;
    if (!upstream) return undefined;
    const { url, headers = {} } = upstream;
    return { origin: new URL(url).origin, all: canonicalJson({ url, headers }) };
  }
  const slash = label.indexOf('/');
  const [name, model] = [label.slice(0, slash), label.slice(slash + 1)];
  const provider = memberOf(`providers.${name}`) as ProviderSnapshot | undefined;
  if (!provider) return undefined;
  const { kind, options, models } = provider;
  const own = Object.hasOwn(models, model) ? models[model]?.options : undefined;
  return { origin: originOf(name), all: canonicalJson({ kind, options, ...(own === undefined ? {} : { own }) }) };
}

export class Changes {
  readonly #now: Compared;
  readonly #before: Compared;
  readonly #known = new Map<string, string | undefined>();

  constructor(now: Compared, before: Compared) {
    this.#now = now;
    this.#before = before;
  }

  /** The part of a model or route that was brought or changed; undefined when it is all as it was. */
  ofObject(object: string): string | undefined {
    if (!this.#known.has(object))
      this.#known.set(
        object,
        partsOf(object, this.#now.memberOf).find((part) => this.#differs(part)),
      );
    return this.#known.get(object);
  }

  /**
   * The provider or upstream behind a target's label, when it was brought or changed. With `blame`, only when that change
   * can be the cause of it: what cannot be reached must be looked for at another place than before.
   */
  ofTarget(label: string, blame?: Blame): string | undefined {
    const isUpstream = label.startsWith(upstreamLabel);
    const object = isUpstream
      ? `upstreams.${label.slice(upstreamLabel.length)}`
      : `providers.${label.slice(0, label.indexOf('/'))}`;
    // A new model of a provider is reached where its others are.
    if (!isUpstream && !this.#before.targetLabels.has(label))
      return blame === 'network' && !this.#canCause(label, blame) ? undefined : object;
    const changed = this.#changed(object);
    return blame === undefined || changed === undefined || this.#canCause(label, blame) ? changed : undefined;
  }

  #canCause(label: string, blame: Blame): boolean {
    const [now, before] = [meansOf(label, this.#now), meansOf(label, this.#before)];
    if (!now || !before) return true;
    return blame === 'network' && now.origin !== undefined ? now.origin !== before.origin : now.all !== before.all;
  }

  /** Whether requests for it are to fail from now on. */
  isMeant(object: string): boolean {
    return this.#now.isRemoved(object);
  }

  #changed(object: string): string | undefined {
    if (!this.#known.has(object)) this.#known.set(object, this.#differs(object) ? object : undefined);
    return this.#known.get(object);
  }

  #differs(object: string): boolean {
    const [now, before] = [this.#now.memberOf(object), this.#before.memberOf(object)];
    return now === undefined || before === undefined || canonicalJson(now) !== canonicalJson(before);
  }
}
