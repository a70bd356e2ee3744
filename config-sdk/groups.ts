/** The functions that put targets into groups, each with its own way to say who is tried first. Groups nest. */
import type { Leg, Legs, TargetsIn } from './fitting.ts';
import type { Group } from './handles.ts';
import type { ClaimCondition } from './issuers.ts';
import { declare } from './site.ts';

interface Made {
  /** The function that the repository called. */
  readonly by: (...parameters: never[]) => unknown;
  readonly balance: string;
  readonly options?: object;
}

function group<Of extends Legs>({ by, balance, options }: Made, targets: Of): Group<TargetsIn<Of[number]>> {
  const of = targets.map((target) => ({ target }));
  const said = options && { options };
  return declare(by, '', { ...said, of }, { kind: 'group', balance, ...said, of });
}

/** Draws the first choice by weight; the others are fallbacks. Groups nest. */
export function weighted<const Of extends Legs>(
  ...of: { [Index in keyof Of]: Weighted<Of[Index]> }
): Group<TargetsIn<Of[number]>> {
  const members: readonly Weighted[] = of;
  return declare(weighted, '', { of }, { kind: 'group', balance: 'weighted', of: members });
}

export interface Weighted<Each = Leg> {
  /** Relative share; need not add up to anything. */
  weight: number;
  target: Each;
}

/** Tries its members in order. What a plain list of targets means too; useful inside other groups. */
export function ordered<const Of extends Legs>(...targets: Of): Group<TargetsIn<Of[number]>> {
  return group({ by: ordered, balance: 'ordered' }, targets);
}

/** Each of its members is first in turn, on every replica by itself; the others follow by chance. */
export function roundRobin<const Of extends Legs>(...targets: Of): Group<TargetsIn<Of[number]>> {
  return group({ by: roundRobin, balance: 'roundRobin' }, targets);
}

/** First where the replica has the fewest requests under way; chance decides among equals. */
export function leastBusy<const Of extends Legs>(...targets: Of): Group<TargetsIn<Of[number]>> {
  return group({ by: leastBusy, balance: 'leastBusy' }, targets);
}

/**
 * Of two members that chance picks, first the one that answered sooner of late (a stream by its beginning), requests under way
 * counted in. The slowest is only ever a fallback, and is tried again once nobody has asked it for a while.
 */
export function fastest<const Of extends Legs>(...targets: Of): Group<TargetsIn<Of[number]>> {
  return group({ by: fastest, balance: 'fastest' }, targets);
}

/**
 * First where a call of this size costs least: by the prices of input and output, its tokens as estimated, and the most that it
 * may get, or 500 tokens. A model without a price comes last.
 */
export function cheapest<const Of extends Legs>(...targets: Of): Group<TargetsIn<Of[number]>> {
  return group({ by: cheapest, balance: 'cheapest' }, targets);
}

export interface StickySpec {
  /**
   * What belongs together: the requests of one consumer, of one end user (as the call names it), or with one value of a header,
   * such as `'header:x-session'`. Users and headers of two consumers are never the same; a request without one goes by its consumer.
   */
  by: 'consumer' | 'user' | `header:${string}`;
}

/**
 * What belongs together has the same first member each time, on every replica, so that the vendor's prompt cache is warm. A member
 * that is taken away moves only what it had.
 */
export function sticky<const Of extends Legs>(spec: StickySpec, ...targets: Of): Group<TargetsIn<Of[number]>> {
  return group({ by: sticky, balance: 'sticky', options: spec }, targets);
}

/** Conditions on a request. Each that is given must hold. */
export interface WhenSpec {
  /** Names of consumers, one of which asks. */
  consumers?: readonly [string, ...string[]];
  /** Tags of consumers, one of which the consumer carries. */
  consumerTags?: readonly [string, ...string[]];
  /**
   * What the claims of the token say, such as `claim('tier').is('gold')`; all must hold. A request that comes with a key has none, and
   * does not meet it.
   */
  claims?: readonly [ClaimCondition, ...ClaimCondition[]];
  /** Values by the name of a header, in lower case: each header has one of its values. */
  headers?: Readonly<Record<Lowercase<string>, readonly [string, ...string[]]>>;
  /** Values by their name in the `metadata` of the body, such as `{ private: ['true'] }`: each has one of its values. */
  metadata?: Readonly<Record<string, readonly [string, ...string[]]>>;
  /** Whether the answer is streamed. */
  stream?: boolean;
  /** Whether tools are offered to the model. */
  tools?: boolean;
  /** Whether images stand among the messages. */
  images?: boolean;
  /** Least tokens that the client sends, as estimated. */
  minTokens?: number;
  /** Most tokens that the client sends, as estimated. */
  maxTokens?: number;
}

/**
 * A target or group that is only for requests which meet a condition; others get `otherwise`, or nothing here. Neither is a
 * fallback of the other, so that what must stay at home does. Where no target is left, the client gets a 503.
 */
export function when<const Each extends Leg, const Other extends Leg = never>(
  spec: WhenSpec,
  target: Each,
  otherwise?: Other,
): Group<TargetsIn<Each> | TargetsIn<Other>> {
  const of: Legs = otherwise === undefined ? [target] : [target, otherwise];
  return group({ by: when, balance: 'when', options: spec }, of) as Group<TargetsIn<Each> | TargetsIn<Other>>;
}

export interface OnlySpec {
  /** The provider of a target carries each of them. */
  tags: readonly [string, ...string[]];
  /** Which requests are held to it. Without it, all are. */
  when?: WhenSpec;
}

/**
 * Its members in order, and of all targets below them only those at providers with certain tags, for every request or for those that
 * meet a condition: `only({ tags: ['private'], when: { metadata: { private: ['true'] } } }, pool)`. What is left out is no fallback
 * either; where nothing is left, the request is refused.
 */
export function only<const Of extends Legs>(spec: OnlySpec, ...targets: Of): Group<TargetsIn<Of[number]>> {
  return group({ by: only, balance: 'only', options: spec }, targets);
}

/**
 * Its members in order, and of all targets below them only those that can do what the call asks for: tools, images, answers by a
 * schema. What neither the configuration nor the catalogue says of a model counts as something it can do.
 */
export function capable<const Of extends Legs>(...targets: Of): Group<TargetsIn<Of[number]>> {
  return group({ by: capable, balance: 'capable' }, targets);
}
