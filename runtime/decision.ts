/** What is decided about a request that nobody sent, and who can be asked to decide it. */
import type { ErrorCode } from './errors.ts';
import type { Circumstances } from './offline-end.ts';
import type { Outcome } from './outcome.ts';
import type { AskedRequest } from './request-file.ts';
import type { Snapshot } from './snapshot.ts';
import type { Order } from './told-orders.ts';
import type { Step } from './trace.ts';

export interface Refusal {
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
  readonly param?: string;
  /** `collection.name` of what in the configuration decided so. */
  readonly object?: string;
}

export interface Decision {
  readonly method: string;
  readonly path: string;
  /** Name of the API that the client speaks; undefined for routes. */
  readonly surface: string | undefined;
  readonly outcome: Outcome;
  readonly refusal: Refusal | undefined;
  /** The messages of the prompt, rendered. */
  readonly prompt: readonly { readonly role: string; readonly text: string }[];
  /** Indices of the client's messages that go to the model; undefined when it did not come to that. */
  readonly kept: readonly number[] | undefined;
  /** Where a route sends it. */
  readonly upstream: { readonly name: string; readonly path: string } | undefined;
}

export interface Trace extends Decision {
  readonly steps: readonly Step[];
  /** What may be drawn of the targets; undefined for routes, refusals before the model, and more orders than can be told. */
  readonly orders: readonly Order[] | undefined;
}

export interface Decider {
  readonly snapshot: Snapshot;
  decide(request: AskedRequest, circumstances?: Circumstances): Promise<Decision>;
  /** The decision in words, with the line of configuration behind each. */
  explain(decision: Decision): Trace;
  /** A prompt's messages with these values. Throws `HeadgateError` when one is missing. */
  render(prompt: string, values: Readonly<Record<string, string>>): readonly { role: string; text: string }[];
  /** Whom claims that are asked with stand for, be they several; where there is nobody, who takes tokens of their issuer. */
  readonly meant: (request: AskedRequest) => readonly string[];
  readonly sourceOf: (object: string) => string | undefined;
  readonly names: (sort: 'models' | 'routes' | 'consumers' | 'prompts' | 'quotas') => readonly string[];
}
