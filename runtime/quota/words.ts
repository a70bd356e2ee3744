/** Counts of quotas in words: for refusals, explanations and whoever reads them. */
import { usdOfNano } from '../cost.ts';
import type { QuotaUnit } from '../snapshot-quotas.ts';
import type { Window } from './store.ts';

const nouns: Readonly<Record<Exclude<QuotaUnit, 'usd'>, string>> = {
  requests: 'requests',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  tokens: 'tokens',
  concurrency: 'requests at once',
};

/** Without a noun: `250.00` of money is `$250.00`. */
export const figure = (unit: QuotaUnit, amount: number): string =>
  unit === 'usd' ? `$${usdOfNano(amount)}` : String(amount);

export const amountInWords = (unit: QuotaUnit, amount: number): string =>
  unit === 'usd' ? figure(unit, amount) : `${amount} ${nouns[unit]}`;

/** Such as ` in 1h`; nothing for what is counted in flight. `length` says how long a time is. */
export function windowInWords(window: Window, length: (ms: number) => string): string {
  switch (window.kind) {
    case 'fixed':
      return ` in ${length(window.ms)}`;
    case 'sliding':
      return ` in the last ${length(window.ms)}`;
    case 'calendar':
      return ` in a calendar ${window.unit} (${window.zone})`;
    case 'none':
      return '';
  }
}
