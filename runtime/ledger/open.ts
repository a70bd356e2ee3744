/** Turns the settings into a ledger: where it is kept, and whether it is. */
import type { Log } from '../log.ts';
import type { Settings } from '../settings.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { BufferedLedger, noLedger, type Ledger } from './ledger.ts';
import type { Desk } from './thread.ts';

type Where = Pick<Settings, 'store' | 'ledger' | 'ledgerKeepMs' | 'ledgerKeepSumsMs'>;

/** Beside the counts, unless it is told otherwise; undefined where there is no place. */
function deskFor({ store, ledger, ledgerKeepMs: callsMs, ledgerKeepSumsMs }: Where): Desk | undefined {
  if (ledger === 'off') return undefined;
  const keep = { callsMs, sumsMs: Math.max(callsMs, ledgerKeepSumsMs) };
  if (/^rediss?:/.test(store)) return { kind: 'stream', url: store, directory: ledger, keep };
  const directory = ledger ?? (store === 'memory' ? undefined : store);
  return directory === undefined ? undefined : { kind: 'file', directory, keep };
}

/** For a process beside one that was given the whole ledger: it only writes. */
export function openWriter(where: Where, surroundings: { readonly log: Log; readonly metrics: Metrics }): Ledger {
  const desk = deskFor(where);
  const own = desk?.kind === 'stream' ? { ...desk, directory: undefined } : desk;
  return own ? new BufferedLedger(own, surroundings) : noLedger;
}

export function openLedger(where: Where, surroundings: { readonly log: Log; readonly metrics: Metrics }): Ledger {
  const desk = deskFor(where);
  return desk ? new BufferedLedger(desk, surroundings) : noLedger;
}
