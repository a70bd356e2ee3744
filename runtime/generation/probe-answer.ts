/** What a declared probe is asked with, and what comes of it. */
import type { Pools } from '../upstream/pools.ts';
import type { Changes } from './changes.ts';
import type { Provisioned } from './provision.ts';

/** What came of one question, when it was not what was wanted. */
export interface Answered {
  /** `unclear`: it may be nothing the candidate did. */
  readonly verdict: 'refused' | 'unclear';
  /** As in "its probe found that …". */
  readonly found: string;
}

export interface Asking {
  readonly candidate: Provisioned;
  readonly changes: Changes;
  readonly pools: Pools;
  readonly signal: AbortSignal;
}

export const timeIsOver: Answered = { verdict: 'unclear', found: 'the time for all probes was over' };
