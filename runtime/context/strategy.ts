/** The contract of a context strategy: which messages of a conversation go to the model. Pure, so every replica agrees without a store. */
import type { OutputOf, SchemaMaker } from '../zod.ts';

/** One message as a strategy sees it. */
export interface Entry {
  /** Its index in `Call.messages`. */
  readonly index: number;
  readonly tokens: number;
  /** Instructions: never dropped. */
  readonly pinned: boolean;
  /** Messages of one group stay or go together: a tool call and its results, for example. */
  readonly group: number;
}

export interface Room {
  /** The smallest context window among the targets, in tokens. */
  readonly window: number;
  /** Output tokens the client asked for, when it did. */
  readonly maxOutputTokens: number | undefined;
  /** Tokens taken by what is not a message, such as tool definitions. */
  readonly overhead: number;
  /** Input tokens that fit at most, by these estimates, once a vendor found more too long. */
  readonly most?: number;
}

export type Fitting =
  | { readonly fits: true; readonly keep: readonly number[] | undefined; readonly tokens: number }
  | { readonly fits: false; readonly limit: number; readonly needed: number };

export interface ContextStrategy<Make extends SchemaMaker = SchemaMaker> {
  readonly options: Make;
  /** Most input tokens these options let through under a window; at most 0 when nothing can fit. For `check`. */
  budget(options: OutputOf<Make>, window: number): number;
  fit(entries: readonly Entry[], room: Room, options: OutputOf<Make>): Fitting;
}
