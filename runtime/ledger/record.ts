/** What one call leaves behind for good: names and numbers only, never content, never a secret. */
import { noMoney } from '../cost.ts';
import type { Outcome, Paid } from '../outcome.ts';
import { providerOf } from '../trace.ts';

/** What calls are told apart by. Empty where there is none. */
export interface Series {
  /** Of the commit, short. */
  readonly revision: string;
  /** `model:<name>`, `route:<name>`, `models`, `files:<provider>` or `none`. */
  readonly matched: string;
  readonly surface: string;
  readonly prompt: string;
  readonly organisation: string;
  readonly team: string;
  readonly consumer: string;
  /** The beginning of the digest of the key that it came with. */
  readonly key: string;
  /** A list in JSON. */
  readonly tags: string;
  /** `provider/model`, or the upstream of a route. */
  readonly target: string;
  readonly provider: string;
  readonly cache: string;
  readonly status: number;
  readonly code: string;
  /** `in_vain` is no end of a call, but what was spent on the way to it at a target that brought the client nothing. */
  readonly ended: 'served' | 'refused' | 'failed' | 'left' | 'in_vain';
}

/** What is added up. */
export interface Figures {
  /** One; none for what was spent in vain. */
  readonly calls: number;
  readonly attempts: number;
  /** Parts of the input are counted in `inputTokens` too, reasoning in `outputTokens`. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** Whole billionths of a dollar, and billionths of those. */
  readonly costNano: number;
  readonly costRest: number;
  /** Whether the vendor told less than all of the usage. */
  readonly estimated: number;
  /** Whether there was usage and no price for it. */
  readonly unpriced: number;
}

export interface CallRecord {
  /** When it ended, in milliseconds since 1970. */
  readonly at: number;
  readonly request: string;
  readonly ms: number;
  /** To the first byte of the answer; absent where there was none. */
  readonly firstMs?: number | undefined;
  readonly series: Series;
  readonly figures: Figures;
}

/** A request that has ended, as the edge tells it. */
export interface Ended {
  readonly id: string;
  readonly at: number;
  readonly revision: string | undefined;
  readonly surface: string | undefined;
  readonly status: number;
  readonly ms: number;
  readonly firstMs: number | undefined;
  readonly outcome: Outcome;
}

/** What broke after its answer had begun went out with the status of a good one. */
function endOf({ status, outcome: { code } }: Ended): Series['ended'] {
  if (status === 499) return 'left';
  if (status >= 500 || (status < 400 && code !== undefined)) return 'failed';
  return status >= 400 ? 'refused' : 'served';
}

const nano = 1_000_000_000n;

/** A vendor's figure that is none must not keep what is written with it from the file. */
const whole = (count = 0): number => (Number.isSafeInteger(count) && count > 0 ? count : 0);

function spentOn(paid: Paid | undefined): Omit<Figures, 'calls' | 'attempts'> {
  const { units } = paid?.money ?? noMoney;
  return {
    inputTokens: whole(paid?.usage.inputTokens),
    cachedInputTokens: whole(paid?.usage.cachedInputTokens),
    cacheWriteTokens: whole(paid?.usage.cacheWriteTokens),
    outputTokens: whole(paid?.usage.outputTokens),
    reasoningTokens: whole(paid?.usage.reasoningTokens),
    costNano: Number(units / nano),
    costRest: Number(units % nano),
    estimated: paid?.estimated ? 1 : 0,
    unpriced: paid && !paid.money ? 1 : 0,
  };
}

const providerAt = (matched: string, target: string): string =>
  matched.startsWith('route:') ? '' : providerOf(target);

/** One for the call, and one for each target that was paid for nothing on the way. */
export function recordsOf(ended: Ended): readonly CallRecord[] {
  const { id: request, at, ms, firstMs, revision = '', surface = '', status, outcome } = ended;
  const { matched, prompt = '', consumer = '', caller, target = '', cache = '', code = '', attempts } = outcome;
  const series: Series = {
    revision,
    matched,
    surface,
    prompt,
    organisation: caller?.organisation ?? '',
    team: caller?.team ?? '',
    consumer,
    key: caller?.key ?? '',
    tags: caller?.tags?.length ? JSON.stringify(caller.tags) : '',
    target,
    provider: providerAt(matched, target),
    cache,
    status,
    code,
    ended: endOf(ended),
  };
  // The target that answered was asked last.
  const last = outcome.usage ? outcome.paid.at(-1) : undefined;
  const inVain = outcome.paid.filter((each) => each !== last);
  return [
    { at, request, ms, firstMs, series, figures: { calls: 1, attempts, ...spentOn(last) } },
    ...inVain.map((paid): CallRecord => {
      const there = { target: paid.target, provider: providerAt(matched, paid.target), ended: 'in_vain' as const };
      const none = { status: 0, code: '', cache: '' };
      return {
        at,
        request,
        ms: 0,
        series: { ...series, ...there, ...none },
        figures: { calls: 0, attempts: 0, ...spentOn(paid) },
      };
    }),
  ];
}
