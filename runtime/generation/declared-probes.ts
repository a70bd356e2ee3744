/**
 * The probes that models and routes declare, asked of a candidate while another revision serves. Only what the candidate
 * brought or changed is asked, and only what its configuration can be the cause of refuses it: a vendor that is overloaded
 * or silent says nothing about a commit.
 */
import { ArtifactRefused } from '../artifact-refused.ts';
import type { Log } from '../log.ts';
import type { Pace } from '../pace.ts';
import type { Pools } from '../upstream/pools.ts';
import { Changes } from './changes.ts';
import type { Tables } from './generation.ts';
import { askModel } from './model-probe.ts';
import { timeIsOver, type Answered, type Asking } from './probe-answer.ts';
import type { Provisioned } from './provision.ts';
import { askRoute } from './route-probe.ts';

type Question = () => Promise<Answered | undefined>;

const mostAtOnce = 8;
/** All of them together; what is not answered by then is unclear. Well below the time a candidate has to become ready. */
const budgetMs = 20_000;

async function questions(asking: Asking, pace: Pace): Promise<{ object: string; ask: Question }[]> {
  const { candidate, changes } = asking;
  const found: { object: string; ask: Question }[] = [];
  await pace.each(candidate.snapshot.models, ([name, { probe }]) => {
    const object = `models.${name}`;
    if (probe && changes.ofObject(object) !== undefined)
      found.push({ object, ask: () => askModel(name, probe, asking) });
  });
  await pace.each(candidate.snapshot.routes, ([name, { probe, host }]) => {
    const object = `routes.${name}`;
    if (probe && changes.ofObject(object) !== undefined)
      found.push({ object, ask: () => askRoute({ name, host }, probe, asking) });
  });
  return found;
}

export interface Occasion {
  readonly candidate: Provisioned;
  /** What serves. */
  readonly before: Tables;
  readonly pools: Pools;
  readonly log: Log;
  readonly pace: Pace;
  /** Aborted when the candidate is no longer wanted. */
  readonly signal: AbortSignal;
  /** Aborted when the candidate has to be ready. */
  readonly overdue: AbortSignal;
}

/** Rejects with `ArtifactRefused`, every refusal named, or with the reason of `signal`. */
export async function askDeclaredProbes(occasion: Occasion): Promise<void> {
  const { candidate, before, pools, log, pace, signal, overdue } = occasion;
  const changes = new Changes(candidate.tables.compared, before.compared);
  const within = AbortSignal.any([signal, overdue, AbortSignal.timeout(budgetMs)]);
  const waiting = await questions({ candidate, changes, pools, signal: within }, pace);
  const refusals: string[] = [];
  const answerAll = async () => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      const { object } = next;
      const answered = within.aborted ? timeIsOver : await next.ask();
      if (!answered) continue;
      const place = candidate.tables.sourceOf(object);
      const sentence = `${object}${place ? ` at ${place}` : ''}: its probe found that ${answered.found}`;
      if (answered.verdict === 'refused') refusals.push(sentence);
      else log.warn({ event: 'probe_unclear', artifact: candidate.revision.artifact, object }, sentence);
    }
  };
  await Promise.all(Array.from({ length: mostAtOnce }, answerAll));
  signal.throwIfAborted();
  if (refusals.length > 0) throw new ArtifactRefused('invalid', refusals.toSorted().join('; '));
}
