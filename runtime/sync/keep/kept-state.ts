/** The marks that a process leaves for the next, as `state.json` holds them: read strictly, because anybody may have written there. */
import { namesWith, object, perhaps, text, that, wholeNumber, type Fields } from '../../shape.ts';

export interface KeptState {
  readonly format: 'headgate/state.v1';
  /** Serves on trial: still named here after a crash, it is the suspect. */
  readonly pending?: string | undefined;
  /** Is being built to serve. */
  readonly building?: string | undefined;
  /** How often in a row the process died while this one was being built. */
  readonly died?: { readonly commit: string; readonly times: number } | undefined;
  readonly highestSeq: number;
  /** The commit that had it: seen again, after a restart, it is no replay. */
  readonly highestCommit?: string | undefined;
  /** For whom what was accepted was published; absent in what older versions wrote. */
  readonly audience?: string | undefined;
  readonly quarantine: Readonly<Record<string, string>>;
  /** An operator's order that a restart does not end; `until` is Unix time in milliseconds. */
  readonly pause?: { readonly pinned?: string | undefined; readonly until: number; readonly note: string } | undefined;
}

const commit = text();

const state = object({
  format: that("must be 'headgate/state.v1'", (value) => value === 'headgate/state.v1'),
  pending: perhaps(commit),
  building: perhaps(commit),
  died: perhaps(object({ commit, times: wholeNumber(1) })),
  highestSeq: wholeNumber(0),
  highestCommit: perhaps(commit),
  audience: perhaps(text()),
  quarantine: namesWith(text()),
  pause: perhaps(object({ pinned: perhaps(commit), until: that('must be a number', Number.isFinite), note: text() })),
});

/** Throws where it is no state. */
export function keptStateFrom(content: Fields): KeptState {
  if (state(content, []).length > 0) throw new Error('no state of a gateway');
  // Each of its fields was looked at.
  return content as unknown as KeptState;
}
