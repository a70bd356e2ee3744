/** The contract of a balancing strategy: in which order the members of a group are tried. */
import type { Call, JsonObject } from '../call.ts';
import type { Capability } from '../capability.ts';
import type { PriceTable } from '../prices.ts';
import type { OutputOf, SchemaMaker } from '../zod.ts';

/** A target below a member. */
export interface MemberTarget {
  /** By where it really is. */
  readonly upstream: string;
  readonly prices: PriceTable | undefined;
  /** Of its provider. */
  readonly tags: readonly string[];
  /** Undefined where nobody knows. */
  readonly capabilities: readonly Capability[] | undefined;
}

export interface Member {
  /** The same as long as it leads to the same place, whatever stands beside it. No two in a group are alike. */
  readonly name: string;
  readonly weight: number;
  /** One, or those of the group that it is. */
  readonly targets: readonly MemberTarget[];
}

export interface BalancedGroup<Options = unknown> {
  /** The same in every revision: what is remembered of the group goes by it. */
  readonly name: string;
  readonly options: Options;
  readonly members: readonly Member[];
}

/** What is known of the request that an order is drawn for. */
export interface Asking {
  readonly consumer: string;
  readonly consumerTags: readonly string[];
  /** Of the token that was verified; undefined where it came with a key. */
  readonly claims: JsonObject | undefined;
  readonly call: Call;
  readonly header: (name: string) => string | undefined;
  /** Of the body. */
  readonly metadata: (name: string) => string | undefined;
  /** As estimated, of all that the client sends. */
  readonly tokens: () => number;
}

/** What is said of requests that are not there: who asks, say. All else may be either way. */
export interface Given {
  readonly consumer?: string;
  readonly consumerTags?: readonly string[];
  /** Whether there are tokens for who asks; without one there are no claims. */
  readonly hasTokens?: boolean;
  /** As they stand in the token, each with all that is in it; `''` is none. */
  readonly claims?: JsonObject;
  /** Each by its name in lower case; `''` is none. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly stream?: boolean;
  readonly tools?: boolean;
  readonly images?: boolean;
}

/** Targets that are left out for some requests, as if they did not stand there. */
export interface Narrowing {
  /** Tells it from others of the same group. */
  readonly name: string;
  /** Of how many requests. */
  readonly chance: number;
  /** Absent: nothing is left out. */
  readonly keeps?: (target: MemberTarget) => boolean;
}

/** What the process knows of upstreams. Offline it knows nothing. */
export interface Sight {
  /** Requests that are there or wait for it. */
  readonly load: (upstream: string) => number;
  /** How long an answer takes to begin, or to be whole; undefined while nobody knows. */
  readonly latencyMs: (upstream: string, answer: 'begun' | 'whole') => number | undefined;
  /** How often it was called with this name before. */
  readonly turn: (group: string) => number;
}

export interface Circumstances extends Sight {
  /** When it is asked, in milliseconds since 1970. */
  readonly at: number;
  /** Numbers in [0, 1) that can be seeded. */
  readonly random: () => number;
  /** Undefined where there is no request, as for probes. */
  readonly asking: Asking | undefined;
}

/** Indices of members, first choice first, none twice. Who is not among them is not tried. */
export type Draw = (circumstances: Circumstances) => readonly number[];

export interface Balancer<Make extends SchemaMaker = SchemaMaker> {
  /** Strict schema of what config may say of such a group, its members aside; absent where there is nothing to say. */
  readonly options?: Make;
  /** Must every member of such a group carry a weight? */
  readonly weights: 'required' | 'refused';
  /** Whether it depends on who asks. */
  asksWho?(options: OutputOf<Make>): boolean;
  /** What a request says so that the member at `index` is for it, where that depends on what it says. */
  saysFor?(options: OutputOf<Make>, index: number): Given;
  /** Such a group has one member or two, and tries one of them at most. */
  readonly picksOne?: true;
  /**
   * How likely each member is to be tried first, of this request or of any. Whatever it depends on that is not known counts as
   * equally likely each way. What is missing to 1 is how likely nobody is tried. The rest follow by the same rule among themselves.
   */
  chances(group: BalancedGroup<OutputOf<Make>>, asking: Asking | undefined, given?: Given): readonly number[];
  /**
   * Which of all targets below such a group are for a request: one narrowing for one that is known, else each there may be. Their
   * chances add up to 1. `targets` are all below it, in nested groups too.
   */
  narrowings?(
    options: OutputOf<Make>,
    targets: readonly MemberTarget[],
    asking: Asking | undefined,
    given?: Given,
  ): readonly Narrowing[];
  /** Made once for a group: what needs no circumstances is settled here. */
  prepare(group: BalancedGroup<OutputOf<Make>>): Draw;
}

/** Members in the order they are written. */
export const asWritten = {
  weights: 'refused' as const,
  chances: ({ members }: BalancedGroup): readonly number[] => members.map((_, index) => (index === 0 ? 1 : 0)),
  prepare({ members }: BalancedGroup) {
    const order = members.map((_, index) => index);
    return () => order;
  },
};

/** Each as likely as the others. */
export const evenly = ({ members }: BalancedGroup): readonly number[] => members.map(() => 1 / members.length);

/** Every index once, in an order that chance decides. */
export function shuffled(count: number, random: () => number): number[] {
  const left = [...Array(count).keys()];
  const order: number[] = [];
  while (left.length > 0) order.push(...left.splice(Math.floor(random() * left.length), 1));
  return order;
}
