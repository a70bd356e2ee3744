/** Promises about a whole gateway, kept on every path a request can take. `check` walks them all. */
import { createHash } from 'node:crypto';
import type { Asked, DecisionGraph, Path, PathQuota } from '@headgate/runtime/graph';
import type { Invariant, Model } from './handles.ts';
import { declare } from './site.ts';

/** True, nothing or an empty list: it holds. A path, or several: those break it. */
export type Holds = (graph: DecisionGraph) => boolean | Path | readonly Path[] | undefined;

const functions = new WeakMap<object, Holds>();
/** The tag that a promise speaks of, where it has one. */
const tags = new WeakMap<Holds, string>();

export const holdsOf = (handle: object): Holds | undefined => functions.get(handle);

/** What the promises of this file are made of: their functions have one text whatever they promise. */
const madeOf = new WeakMap<Holds, string>();

function made(holds: Holds, words: readonly unknown[]): Holds {
  madeOf.set(holds, JSON.stringify(words));
  return holds;
}

/** Tells one text of a promise from another, which is all that outlives the evaluation. */
function digestOf(holds: Holds): string {
  const text = madeOf.get(holds) ?? (typeof holds === 'function' ? Function.prototype.toString.call(holds) : '');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** A promise that `check` holds this gateway to: `holds` looks at every path from a consumer to where a request may end. */
export function invariant(id: string, holds: Holds): Invariant {
  const tag = tags.get(holds);
  const spec = { text: digestOf(holds), ...(tag !== undefined && { tag }) };
  const handle = declare(invariant, id, spec, { kind: 'invariant' as const, id });
  functions.set(handle, holds);
  return handle;
}

/** A provider or an upstream. */
interface Place {
  readonly kind: 'provider' | 'upstream';
  readonly id: string;
}

export interface StaysAtSpec {
  /** Carried by models, routes or consumers. */
  tag: string;
  /** Where what carries it may go, fallbacks included. */
  at: readonly Place[];
}

/** Whatever carries a tag is sent to these providers and upstreams only. */
export function staysAt({ tag, at }: StaysAtSpec): Holds {
  const allowed = new Set(at.map(({ kind, id }) => `${kind} ${id}`));
  const holds: Holds = ({ paths }) =>
    paths.filter(
      ({ consumer, entry, end }) =>
        (entry.tags.includes(tag) || consumer.tags.includes(tag)) && !allowed.has(`${end.sort} ${end.name}`),
    );
  tags.set(holds, tag);
  return made(holds, ['staysAt', tag, [...allowed].toSorted()]);
}

export interface StaysWithinSpec {
  /** What is known of the requests: a header, an entry of the metadata, or that tools or images are sent. */
  given: Asked;
  /** The provider of each target that they may come to carries all of them. */
  tags: readonly [string, ...string[]];
}

/** Such calls come to providers with these tags only, whoever asks and whichever model is asked for. */
export function staysWithin({ given, tags: wanted }: StaysWithinSpec): Holds {
  const holds: Holds = (graph) =>
    graph.given(given).filter(({ end }) => end.sort === 'provider' && !wanted.every((tag) => end.tags.includes(tag)));
  return made(holds, ['staysWithin', given, wanted]);
}

export interface IsLimitedSpec {
  /** What must be counted. Tokens and money are spent by models only, so that paths to routes need no limit of them. Default: anything. */
  unit?: PathQuota['unit'];
}

/** What routes draw from too. */
const ofRoutes: ReadonlySet<IsLimitedSpec['unit']> = new Set([undefined, 'requests', 'concurrency']);

/** Every path draws from a quota that refuses: soft ones are no limit. */
export function isLimited({ unit }: IsLimitedSpec = {}): Holds {
  const holds: Holds = ({ paths }) =>
    paths.filter(
      ({ quotas, entry }) =>
        (entry.sort !== 'route' || ofRoutes.has(unit)) &&
        !quotas.some((each) => each.mode === 'hard' && (unit === undefined || each.unit === unit)),
    );
  return made(holds, ['isLimited', unit]);
}

export interface NeedsTierSpec<Tier extends string> {
  /** Tags of consumers, the lowest first. A consumer with none of them is below all. */
  tiers: readonly Tier[];
  /** The lowest that may. */
  from: NoInfer<Tier>;
  model: Model;
}

/** No consumer below a tier reaches a model. */
export function needsTier<const Tier extends string>({ tiers, from, model }: NeedsTierSpec<Tier>): Holds {
  const lowest = tiers.indexOf(from);
  const holds: Holds = ({ paths }) =>
    paths.filter(
      ({ consumer, entry }) =>
        entry.sort === 'model' &&
        entry.name === model.id &&
        tiers.findLastIndex((tier) => consumer.tags.includes(tier)) < lowest,
    );
  return made(holds, ['needsTier', tiers, from, model.id]);
}
