/** What a running gateway says about itself: which commit it serves, and why not another. */
import type { Activator } from '../generation/activator.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Keep } from '../sync/keep.ts';
import type { Loop } from '../sync/loop.ts';
import { phaseOf } from '../sync/states.ts';
import type { Herald } from '../sync/word/herald.ts';
import type { Load, Serving } from '../serving.ts';

export interface Reported {
  readonly activator: Activator;
  readonly loop: Loop;
  readonly keep: Keep;
  readonly herald: Herald;
  readonly serving: Serving;
  readonly ledger: Ledger;
  /** Whether artifacts must be signed. */
  readonly signed: boolean;
  readonly replicaId: string;
  readonly startedAt: string;
  readonly draining: () => boolean;
}

export const unsignedNote = 'UNSIGNED: whoever can push to the branch decides what runs; give --signers';

export function statusOf(reported: Reported, load: Load) {
  const { activator, loop, keep, herald, ledger, signed, replicaId, startedAt, draining } = reported;
  const { state, sourceStatus, history } = loop;
  const { bake, watch, rollback, health } = loop.proving;
  const { stable: current } = activator;
  const revision = current?.revision;
  return {
    state: phaseOf(state),
    active: current &&
      revision && {
        revision: revision.short,
        commit: revision.artifact,
        seq: revision.manifest.seq,
        digest: revision.digest,
        source: revision.manifest.source,
        generation: current.number,
        health,
        inFlight: load.inFlight,
        models: [...current.tables.models.keys()],
        providers: [...current.tables.providers.values()].map(({ name, live }) => ({
          name,
          inRotation: live !== undefined,
        })),
      },
    lkg: { commit: state.lastKnownGood },
    tip: { commit: state.tip },
    held: state.held,
    pause: state.pause && { ...state.pause, until: new Date(state.pause.until).toISOString() },
    pinnable: loop.operator.pinnable,
    waiting: loop.lead.waiting,
    verdictStore: loop.verdictStore,
    rollout: loop.stage.report,
    bake,
    watch,
    rollback,
    source: sourceStatus,
    quarantine: Object.entries(state.quarantine).map(([commit, reason]) => ({ commit, reason })),
    highestSeq: keep.state.highestSeq,
    generationsLive: load.generationsLive,
    /** Those that are passed over while others can be asked. */
    ailing: load.targets.filter(({ state }) => state !== 'closed'),
    verify: signed
      ? { mode: 'signed' as const, signer: revision?.signer?.principal, fingerprint: revision?.signer?.fingerprint }
      : { mode: 'unsigned' as const, note: unsignedNote },
    audience: keep.state.audience,
    stateDir: keep.where,
    stateProblem: keep.problem,
    replicaId,
    startedAt,
    draining: draining(),
    history: history.entries,
    ledger: ledger.status,
    word: herald.status,
  };
}
