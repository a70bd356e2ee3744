/** What one request came to: written by the stages as it goes along, read by the log, the metrics and explanations. Names and numbers only, never content. */
import type { Usage } from './call.ts';
import type { Money } from './cost.ts';
import { errorTable, type ErrorCode } from './errors.ts';
import type { Window } from './quota/store.ts';
import type { QuotaUnit } from './snapshot-quotas.ts';

/** One taking from a quota, or the try at one. */
export interface Drawn {
  /** Name of the quota. */
  readonly quota: string;
  readonly unit: QuotaUnit;
  /** Whose count it is, in words. */
  readonly whose: string;
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
  /** Beyond that share of the limit, calls go to another model. */
  readonly downgrade?: { readonly at: number; readonly to: string } | undefined;
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

/** `money` is undefined where no price is known. */
export interface Paid extends Spent {
  readonly money: Money | undefined;
}

/** Who called, as far as it is written down. */
export interface Caller {
  readonly name: string;
  readonly team?: string | undefined;
  readonly organisation?: string | undefined;
  readonly tags?: readonly string[];
  /** The beginning of the digest of its key; absent where it came with a token or a certificate. */
  readonly key?: string | undefined;
}

/** Nothing else of a consumer: what is noted outlives its generation. */
export const callerOf = ({ name, team, organisation, tags = [], key }: Caller): Caller => ({
  name,
  key,
  team,
  organisation,
  tags,
});

/** A target that a strict model passes over. */
export interface Unable {
  readonly target: string;
  /** What of the request it cannot carry, as `headgate-dropped` names it. */
  readonly fields: readonly string[];
}

/** A client can send any number of unknown fields; a header has its limits. */
const mostDropped = 20;

/** As `headgate-dropped` and the log tell it. */
export function droppedInWords({ dropped }: Pick<Outcome, 'dropped'>): string | undefined {
  if (dropped.length === 0) return undefined;
  const more = dropped.length - mostDropped;
  return dropped.slice(0, mostDropped).join(', ') + (more > 0 ? `, and ${more} more` : '');
}

export interface Crowded {
  readonly target: string;
  readonly quota: string;
  /** Nobody knows whether there is room: the store does not answer, and the quota is declared closed. */
  readonly isAway?: true;
}

export interface Downgraded {
  readonly quota: string;
  /** The model that serves in place of the one that was asked for. */
  readonly to: string;
}

export interface Outcome {
  /** When it came in, in milliseconds since 1970: prices are those of that moment. */
  readonly startedAt: number;
  /** `model:<name>`, `route:<name>`, `models`, `files:<provider>` or `none`. */
  matched: string;
  consumer: string | undefined;
  caller: Caller | undefined;
  /** The last target that was tried. */
  target: string | undefined;
  attempts: number;
  /** What of the request did not get there, and what of the answer the client's dialect has no words for. */
  dropped: readonly string[];
  usage: Usage | undefined;
  /** The vendor told no usage, or not all of it: what is missing was estimated. */
  usageEstimated: boolean;
  /** USD, as a decimal text, of all that was spent; undefined without usage or a price. */
  costUsd: string | undefined;
  /** At targets that failed, fell silent or were outrun; `usage` is that of `target` alone. */
  readonly spentBefore: Spent[];
  /** All of that with its price, that of `target` last. */
  paid: readonly Paid[];
  cache: 'bypass' | undefined;
  /** Stable error code, when it did not go well. */
  code: ErrorCode | undefined;
  /** What the revision that this one is measured against would have served it as, and this one refused: `collection.name`. */
  lost: string | undefined;
  /** What the gateway itself took before it asked a target, without any wait for others. */
  ownMs: number | undefined;
  /** `collection.name` of what in the configuration ended it. */
  endedBy: string | undefined;
  /** The beginning of the digest of the key that was refused what its consumer may use. */
  boundKey: string | undefined;
  size: CallSize | undefined;
  prompt: string | undefined;
  /** Labels, in the order to try them. */
  readonly order: string[];
  /** Those that could not carry all of the request, where the model is strict. */
  readonly unable: Unable[];
  /** Those that are passed over because a quota of their provider has no room. */
  readonly crowded: Crowded[];
  /** Each quota that sent it to a cheaper model, in turn. */
  readonly downgraded: Downgraded[];
  /** Policies that let it pass. */
  readonly passed: string[];
  /** Those of them that keep it to some of its targets. */
  readonly confinedBy: string[];
  fit: Fit | undefined;
  readonly shortened: Shortened[];
  drawn: readonly Drawn[];
  readonly tried: Try[];
}

export const newOutcome = (startedAt: number = Date.now()): Outcome => ({
  startedAt,
  matched: 'none',
  consumer: undefined,
  caller: undefined,
  target: undefined,
  attempts: 0,
  dropped: [],
  usage: undefined,
  usageEstimated: false,
  costUsd: undefined,
  spentBefore: [],
  paid: [],
  cache: undefined,
  code: undefined,
  lost: undefined,
  ownMs: undefined,
  endedBy: undefined,
  boundKey: undefined,
  size: undefined,
  prompt: undefined,
  order: [],
  unable: [],
  crowded: [],
  downgraded: [],
  passed: [],
  confinedBy: [],
  fit: undefined,
  shortened: [],
  drawn: [],
  tried: [],
});

/** As it is told: what nobody got any more has a status all the same. */
export function statusOf({ code }: Outcome, written: number): number {
  if (code === 'client_closed_request') return errorTable[code].status;
  return code === 'gateway_stopped' ? errorTable[code].status : written;
}

/** The model or route that a request came to, as health records and snapshots name it. */
export function objectOf({ matched }: Outcome): string | undefined {
  if (matched.startsWith('model:')) return `models.${matched.slice('model:'.length)}`;
  return matched.startsWith('route:') ? `routes.${matched.slice('route:'.length)}` : undefined;
}

/** Quotas that are near their end; undefined without any. */
export function warningsOf({ drawn }: Outcome): readonly string[] | undefined {
  const names = drawn.flatMap(({ quota, warns }) => (warns ? [quota] : []));
  return names.length > 0 ? names : undefined;
}
