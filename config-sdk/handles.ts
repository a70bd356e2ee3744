/** What the `define` functions return: small values to refer by, each with a literal `kind` so that mixing them up says so. */
import type { SecretReference } from '@headgate/runtime/snapshot';
import type { Leg, TraitsOf, WindowOf } from './fitting.ts';

export type Secret = SecretReference;

/** Where its models are of no interest. */
export interface AnyProvider {
  readonly kind: 'provider';
  readonly id: string;
}

export interface Provider<Targets> {
  readonly kind: 'provider';
  readonly id: string;
  /** One of this provider's models, to send requests to. In `targets` of a model, or in a group. */
  readonly target: <Model extends keyof Targets & string>(
    model: Model,
    options?: TargetOptions,
  ) => Chosen<Targets, Model>;
}

/** After a wrong name the compiler goes on as if all names were meant; what is wrong with those is not said as well. */
type Chosen<Targets, Model extends keyof Targets> = [keyof Targets] extends [Model]
  ? Single<Model> extends true
    ? Targets[Model]
    : Target
  : Targets[Model];
type Single<Name, All = Name> = Name extends unknown ? ([All] extends [Name] ? true : false) : never;

/** One target for each model: made once for a provider and not again for every use. */
export type TargetsOf<Id extends string, Kind, Models> = {
  readonly [Model in keyof Models]: Target<
    `${Id}/${Model & string}`,
    TraitsOf<Kind, Model, Models[Model]>,
    WindowOf<Kind, Model, Models[Model]>
  >;
};

export interface TargetOptions {
  /** Longest wait for the response head, and between two pieces of the body. Default `'60s'`. */
  timeout?: Duration;
  /**
   * Of a stream: longest wait for the first piece of the answer itself; pings do not count, as they do for `timeout`. When it
   * is over, the next target is asked. Default: no limit of its own.
   */
  firstTokenTimeout?: Duration;
  /**
   * Further tries here, on failures that may pass, before the next target. Where no other is left, a rate limited one is
   * waited for as long as it says, as often as this. Default 0, at most 5.
   */
  retries?: number;
  /**
   * Most requests that each replica has there at once, for servers with little room. Others go to the next target; where no
   * other is left they wait, consumers in turn, at most 16 for each place. Default: no limit.
   */
  maxConcurrency?: number;
}

/** Names and a number instead of whole facts: the compiler prints them, and compares them fast. */
export interface Target<Name extends string = string, Traits extends string = string, Window extends number = number> {
  readonly kind: 'target';
  readonly provider: string;
  readonly model: string;
  readonly options: TargetOptions;
  /** For the type checker only. */
  readonly facts?: { readonly name: Name; readonly traits: Traits; readonly window: Window };
}

export interface Group<Targets = Target> {
  readonly kind: 'group';
  readonly balance: string;
  readonly options?: object;
  readonly of: readonly { readonly weight?: number; readonly target: Leg }[];
  /** For the type checker only: every target in it, nested groups included. */
  readonly targets?: Targets;
}

export interface Model<For extends string = string> {
  readonly kind: 'model';
  readonly id: string;
  /** For the type checker only. */
  readonly for?: For;
}

export interface Quota<Unit extends string = string, To extends string = string> {
  readonly kind: 'quota';
  readonly id: string;
  /** For the type checker only. */
  readonly unit?: Unit;
  /** For the type checker only: what the model is for that calls go to beyond a share of the limit. */
  readonly downgradesTo?: To;
}

export interface ContextPolicy<Budget extends number = number> {
  readonly kind: 'context-policy';
  readonly id: string;
  /** For the type checker only: input tokens that the policy aims for. */
  readonly budget?: Budget;
}

export interface Policy {
  readonly kind: 'policy';
  readonly id: string;
}

export interface Consumer {
  readonly kind: 'consumer';
  readonly id: string;
}

export interface Issuer {
  readonly kind: 'issuer';
  readonly id: string;
}

export interface Team {
  readonly kind: 'team';
  readonly id: string;
}

export interface Organisation {
  readonly kind: 'organisation';
  readonly id: string;
}

export interface Upstream {
  readonly kind: 'upstream';
  readonly id: string;
}

export interface Route {
  readonly kind: 'route';
  readonly id: string;
}

/** Something that always holds. */
export interface Invariant {
  readonly kind: 'invariant';
  readonly id: string;
}

export interface Gateway {
  readonly kind: 'gateway';
}

/** A length of time, such as `'250ms'`, `'30s'`, `'5m'`, `'1h'`, `'7d'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

/** A number as text, such as `'1.25'`. */
export type Decimal = `${number}`;

/** A value that each request brings along. */
export interface ValueSource<Text extends string = string> {
  readonly from: 'header' | 'metadata';
  readonly name: string;
  readonly default?: Text;
}

/** What a prompt variable may be given: a text, or where to take it from. */
export type Value<Text extends string = string> = Text | ValueSource<Text>;

export interface BoundPrompt {
  readonly kind: 'bound-prompt';
  readonly prompt: string;
  readonly variables: Readonly<Record<string, Value>>;
}

/** Where its variables are of no interest. */
export interface AnyPrompt {
  readonly kind: 'prompt';
  readonly id: string;
}

export interface Prompt<Variables extends Record<string, Value>> {
  readonly kind: 'prompt';
  readonly id: string;
  // A property because methods are checked less strictly.
  /** Gives every variable one value, none missing and none extra: a text, `from.header(…)` or `from.metadata(…)`. */
  readonly with: (variables: Variables) => BoundPrompt;
}
