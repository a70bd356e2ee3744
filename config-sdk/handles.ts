/** What the `define` functions return: small values to refer by, each with a literal `kind` so that mixing them up says so. */
import type { SecretReference } from '@headgate/runtime/snapshot';

export type Secret = SecretReference;

export interface Provider<Models extends string> {
  readonly kind: 'provider';
  readonly id: string;
  /** One of this provider's models as something to send requests to. */
  readonly target: (model: Models, options?: TargetOptions) => Target;
}

export interface TargetOptions {
  /** Longest wait for the response head, and between two pieces of the body. Default `'60s'`. */
  timeout?: Duration;
  /** Further tries here before the next target, on failures that may pass. Default 0, at most 5. */
  retries?: number;
}

export interface Target {
  readonly kind: 'target';
  readonly provider: string;
  readonly model: string;
  readonly options: TargetOptions;
}

export interface Group {
  readonly kind: 'group';
  readonly balance: string;
  readonly of: readonly { readonly weight?: number; readonly target: Target | Group }[];
}

export interface Model {
  readonly kind: 'model';
  readonly id: string;
}

export interface Quota {
  readonly kind: 'quota';
  readonly id: string;
}

export interface ContextPolicy {
  readonly kind: 'context-policy';
  readonly id: string;
}

export interface Policy {
  readonly kind: 'policy';
  readonly id: string;
}

export interface Consumer {
  readonly kind: 'consumer';
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

export interface Prompt<Variables extends Record<string, Value>> {
  readonly kind: 'prompt';
  readonly id: string;
  /** Gives every variable a value: none missing, none extra. A property because methods are checked less strictly. */
  readonly with: (variables: Variables) => BoundPrompt;
}
