/** How one code of `check` is described: what it means, why it matters, what to do, and whether a team may live with it. */

export type Severity = 'error' | 'warning' | 'note';

export interface FindingEntry<Acceptable extends boolean = boolean> {
  readonly severity: 'error' | 'warning';
  /** One line: what is there. */
  readonly meaning: string;
  /** What to do about it; a finding may bring a better one of its own. */
  readonly hint: string;
  /** What goes wrong when it stays. */
  readonly why: string;
  /** Whether `accept` in defineGateway may lower it to a note. */
  readonly acceptable: Acceptable;
}

type Words = readonly [meaning: string, hint: string, why: string];

/** Nothing can be served with it, or it must never be: no reason makes it right. */
export const error = (...[meaning, hint, why]: Words): FindingEntry<false> => ({
  severity: 'error',
  meaning,
  hint,
  why,
  acceptable: false,
});

/** Dangerous enough to stop a merge, but there are reasons that make it right. */
export const danger = (...[meaning, hint, why]: Words): FindingEntry<true> => ({
  severity: 'error',
  meaning,
  hint,
  why,
  acceptable: true,
});

export const warning = (...[meaning, hint, why]: Words): FindingEntry<true> => ({
  severity: 'warning',
  meaning,
  hint,
  why,
  acceptable: true,
});

/** A warning about the configuration's own bookkeeping, which a reason would only repeat. */
export const reminder = (...[meaning, hint, why]: Words): FindingEntry<false> => ({
  severity: 'warning',
  meaning,
  hint,
  why,
  acceptable: false,
});
