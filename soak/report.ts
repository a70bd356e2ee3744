/** The figures of a soak as a table, and every promise that they break. */
import type { Actions } from './actions.ts';
import { isFlat, median, quantile, trendOf } from './figures.ts';
import type { Judge } from './judge.ts';
import type { Ledger } from './ledger.ts';
import type { Replica } from './replica.ts';

export interface Soaked {
  readonly seed: number;
  readonly seconds: number;
  readonly actions: Actions;
  readonly judge: Judge;
  readonly ledger: Ledger;
  readonly replicas: readonly Replica[];
  /** What went wrong outside of answers and actions: readiness, signers, ends of processes. */
  readonly problems: readonly string[];
}

type Row = readonly [figure: string, value: string];

const count = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, times]) => `${name} ${times}`)
    .join(', ') || 'none';

const milliseconds = (values: readonly number[]): string =>
  values.length === 0
    ? 'none'
    : `median ${median(values).toFixed(0)} ms, longest ${Math.max(...values).toFixed(0)} ms (${values.length})`;

/** `{a="x",b="y"}` as `x y`. */
const labelsInWords = (labels: string): string => [...labels.matchAll(/="([^"]*)"/g)].map(([, word]) => word).join(' ');

async function told(replica: Replica, name: string, only = ''): Promise<ReadonlyMap<string, number>> {
  const values = await replica.metric(name);
  return new Map([...values].filter(([labels]) => labels.includes(only)).map(([key, n]) => [labelsInWords(key), n]));
}

/** Times each refusal began. */
async function heldReasons(replica: Replica): Promise<ReadonlyMap<string, number>> {
  const entries = [...(await told(replica, 'headgate_config_transitions_total', 'to="HELD"'))];
  return new Map(entries.map(([words, times]) => [words.replace('HELD ', ''), times]));
}

const sum = (values: ReadonlyMap<string, number>): number => [...values.values()].reduce((total, n) => total + n, 0);

/** Slack of the two figures that must be flat: a few MiB, and a few sockets. */
const slack = { heapMiB: 6, descriptors: 8 };

async function replicaRows(replica: Replica, judge: Judge, broken: string[]): Promise<Row[]> {
  const { name, samples } = replica;
  const [heap, descriptors, resident] = (['heapMiB', 'descriptors', 'residentMiB'] as const).map((figure) =>
    trendOf(samples.map((sample) => sample[figure])),
  );
  const [swaps, rollbacks, held, polls, live] = await Promise.all([
    told(replica, 'headgate_config_swap_duration_seconds_count'),
    told(replica, 'headgate_config_rollbacks_total'),
    heldReasons(replica),
    told(replica, 'headgate_config_poll_errors_total'),
    told(replica, 'headgate_generations_live'),
  ]);
  if (heap && !isFlat(heap, slack.heapMiB)) broken.push(`${name}: the heap grew`);
  if (descriptors && !isFlat(descriptors, slack.descriptors)) broken.push(`${name}: descriptors grew`);
  if (sum(live) !== 1) broken.push(`${name}: ${sum(live)} generations live at the end`);
  if (judge.backs(replica) > sum(rollbacks)) broken.push(`${name}: went back more often than it rolled back`);
  for (const event of ['internal_error', 'effect_failed', 'state_problem']) {
    const lines = replica.logged(event);
    if (lines.length > 0) broken.push(`${name}: logged ${lines.length} times ${event}, first ${lines[0]}`);
  }
  const trend = (values: typeof heap, digits: number) =>
    `${values?.early.toFixed(digits)} → ${values?.late.toFixed(digits)}`;
  return [
    [`${name}: swaps`, String(sum(swaps))],
    [`${name}: rollbacks`, `${sum(rollbacks)}; seen going back ${judge.backs(replica)} times`],
    [`${name}: held`, count(held)],
    [`${name}: polls that failed`, count(polls)],
    [`${name}: heap after collection, MiB`, `${trend(heap, 1)} (first and last quarter after warm-up)`],
    [`${name}: resident, MiB`, trend(resident, 0)],
    [`${name}: descriptors`, trend(descriptors, 0)],
    [`${name}: generations live at the end`, String(sum(live))],
    [
      `${name}: held still by the collections of this soak, ms`,
      `longest ${Math.max(...samples.map(({ heldStillMs }) => heldStillMs)).toFixed(0)}`,
    ],
    [`${name}: longest event loop gap, ms`, Math.max(...samples.map(({ gapMs }) => gapMs)).toFixed(0)],
  ];
}

function promises({ judge, actions, problems }: Soaked): string[] {
  const { counts } = judge;
  const kinds = {
    own: 'requests failed by the gateway’s own doing',
    mixed: 'answers mix two revisions',
    unverified: 'answers from what must never serve',
    relapsed: 'times a revision that was taken back served again',
  } as const;
  const broken = (Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((kind) =>
    counts[kind] === 0 ? [] : [`${counts[kind]} ${kinds[kind]}:`, ...judge[kind].map((line) => `  ${line}`)],
  );
  return [...broken, ...actions.problems, ...problems];
}

/** Prints the table and answers what was broken. */
export async function report(soaked: Soaked): Promise<readonly string[]> {
  const { seed, seconds, actions, judge, ledger, replicas } = soaked;
  const { counts, latencies } = judge;
  const broken = promises(soaked);
  const rows: Row[] = [
    ['duration', `${seconds.toFixed(0)} s`],
    ['seed', String(seed)],
    ['actions', count(actions.done)],
    [
      'publications',
      `${ledger.all.length}, of which must never serve ${ledger.all.filter((one) => !one.servable).length}`,
    ],
    ['revisions served', String(judge.revisionsServed)],
    ['until all serve it, git well', milliseconds(actions.converged.calm)],
    ['until all serve it, after a fault of git', milliseconds(actions.converged.healed)],
    ['harmful revisions served for', milliseconds(judge.harmedFor)],
    ['requests', `${counts.asked}, ${(counts.asked / seconds).toFixed(0)} a second`],
    ['requests by outcome', count(judge.outcomes)],
    ['good answers', `median ${median(latencies).toFixed(1)} ms, p99 ${quantile(latencies, 0.99).toFixed(0)} ms`],
    ['failed under a harmful revision on trial', String(counts.byRevision)],
    ['refused by a closed quota while Redis was away', String(counts.byStore)],
    ['failed by the gateway’s own doing', String(counts.own)],
    ['mixed', String(counts.mixed)],
    ['unverified served', String(counts.unverified)],
    ['served again after it was taken back', String(counts.relapsed)],
  ];
  for (const replica of replicas) rows.push(...(await replicaRows(replica, judge, broken)));
  const width = Math.max(...rows.map(([figure]) => figure.length));
  console.log(`\n${rows.map(([figure, value]) => `${figure.padEnd(width)}  ${value}`).join('\n')}\n`);
  return broken;
}
