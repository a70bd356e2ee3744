/** Processes that serve what one activator decides: they build what it builds, and carry out its orders in the same order. */
import type { Verified } from './provision.ts';

export type Order =
  | { readonly do: 'abandon' | 'promote' | 'close_way_back' | 'roll_back' }
  | { readonly do: 'keep_back'; readonly commit: string }
  | { readonly do: 'activate' | 'widen'; readonly commit: string; readonly share: number };

/** What brings a new follower to where the others are: what to build, and orders. */
export type Lesson = { readonly build: Verified } | Order;

export interface Followers {
  /** Has all of them build it. Rejects with `ArtifactRefused` when one cannot, or with the reason of `signal`. */
  prepare(verified: Verified, signal: AbortSignal): Promise<void>;
  /** Never throws; an order reaches each of them after what was prepared before it. */
  follow(order: Order): void;
}

/** One process serves by itself. */
export const nobody: Followers = { prepare: () => Promise.resolve(), follow: () => undefined };
