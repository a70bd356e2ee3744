/** What one request came to: written by the stages as it goes along, read by the log, the metrics and explanations. Names and numbers only, never content. */
import type { Usage } from './call.ts';
import type { ErrorCode } from './errors.ts';
import type { Window } from './quota/store.ts';
import type { QuotaScope, QuotaUnit } from './snapshot-quotas.ts';

/** One taking from a quota, or the try at one. */
export interface Drawn {
  /** Name of the quota. */
  readonly quota: string;
  readonly unit: QuotaUnit;
  readonly scope: QuotaScope;
  /** Money in billionths of a dollar, here and below. */
  readonly limit: number;
  readonly window: Window;
  /** What this request was taken to need at most. */
  readonly amount: number;
  /** In the window, this request included when it was granted. Undefined when the store did not answer, or was not asked. */
  readonly used: number | undefined;
  readonly resetMs: number | undefined;
  readonly granted: boolean;
  /** It refuses nothing. */
  readonly soft: boolean;
  /** So much of it is used that answers carry a warning. */
  readonly warns: boolean;
}

export interface Fit {
  readonly policy: string;
  readonly messages: number;
  readonly kept: number;
  /** As estimated, of everything that is sent. */
  readonly tokens: number;
}

/** A second try with less, where a target found a conversation too long that should have fitted. */
export interface Shortened {
  readonly target: string;
  readonly kept: number;
  readonly tokens: number;
}

/** How large a call is, and nothing of what it says. */
export interface CallSize {
  readonly messages: number;
  /** As estimated, of the client's messages; known where a context policy counts them. */
  tokens: number | undefined;
  readonly maxOutputTokens: number | undefined;
  readonly stream: boolean;
}

export interface Try {
  readonly target: string;
  /** `answered`, the kind of failure, `passed_over` (in no state to be asked while others are there) or `outrun` (another was faster). */
  readonly ended: string;
  /** It failed after its answer had begun. */
  readonly begun?: true;
}

/** What a try cost that brought the client nothing. */
export interface Spent {
  readonly target: string;
  readonly usage: Usage;
  /** The vendor did not tell. */
  readonly estimated: boolean;
}

/** A target that a strict model passes over. */
export interface Unable {
  readonly target: string;
  /** What of the request it cannot carry, as `headgate-dropped` names it. */
  readonly fields: readonly string[];
}

export interface Outcome {
  /** `model:<name>`, `route:<name>`, `models`, `files:<provider>` or `none`. */
  matched: string;
  consumer: string | undefined;
  /** The last target that was tried. */
  target: string | undefined;
  attempts: number;
  usage: Usage | undefined;
  /** The vendor told no usage, or not all of it: what is missing was estimated. */
  usageEstimated: boolean;
  /** USD, as a decimal text, of all that was spent; undefined without usage or a price. */
  costUsd: string | undefined;
  /** At targets that failed, fell silent or were outrun; `usage` is that of `target` alone. */
  readonly spentBefore: Spent[];
  /** Stable error code, when it did not go well. */
  code: ErrorCode | undefined;
  /** What the revision that this one is measured against would have served it as, and this one refused: `collection.name`. */
  lost: string | undefined;
  /** What the gateway itself took before it asked a target, without any wait for others. */
  ownMs: number | undefined;
  /** `collection.name` of what in the configuration ended it. */
  endedBy: string | undefined;
  size: CallSize | undefined;
  prompt: string | undefined;
  /** Labels, in the order to try them. */
  readonly order: string[];
  /** Those that could not carry all of the request, where the model is strict. */
  readonly unable: Unable[];
  /** Policies that let it pass. */
  readonly passed: string[];
  /** Those of them that keep it to some of its targets. */
  readonly confinedBy: string[];
  fit: Fit | undefined;
  readonly shortened: Shortened[];
  drawn: readonly Drawn[];
  readonly tried: Try[];
}

export const newOutcome = (): Outcome => ({
  matched: 'none',
  consumer: undefined,
  target: undefined,
  attempts: 0,
  usage: undefined,
  usageEstimated: false,
  costUsd: undefined,
  spentBefore: [],
  code: undefined,
  lost: undefined,
  ownMs: undefined,
  endedBy: undefined,
  size: undefined,
  prompt: undefined,
  order: [],
  unable: [],
  passed: [],
  confinedBy: [],
  fit: undefined,
  shortened: [],
  drawn: [],
  tried: [],
});
