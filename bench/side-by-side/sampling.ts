/** Samples of work: all rows started, warmed up, and measured in turns, with an eye on who else uses the machine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { busySeconds, cpuBetween, cpuTimeOf, othersNow, residentBytes, treeOf } from './machine.ts';
import { median } from './median.ts';
import { runLoad, type Load, type LoadFigures, type Native } from './native.ts';
import type { Row } from './row.ts';
import { pinnedTo, startRow, type Cores, type Program, type Started } from './running.ts';
import { requestOf, warmUpOf, type Work } from './works.ts';

/** Processors that others may keep busy during a sample before it counts as disturbed. */
const mostOthers = 0.15;
const startPatienceMs = 90_000;
/** Answers that a start may take to become good ones. */
const mostRefusals = 25;

export interface Sample extends LoadFigures {
  readonly row: string;
  readonly work: string;
  /** Seconds of processor time of the row's whole tree, user and system. */
  readonly rowCpu: number;
  /** Of the upstream. */
  readonly upstreamCpu: number;
  /** Bytes, the most that was seen; and before the first sample of this work. */
  readonly resident: number;
  readonly residentIdle: number;
  /** Processors that others kept busy meanwhile. */
  readonly others: number;
}

export interface Course {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmSeconds: number;
  /** How long a quiet moment is waited for before each sample. */
  readonly patienceSeconds: number;
}

export interface Bench {
  readonly native: Native;
  readonly cores: Cores;
  readonly course: Course;
  /** For requests as files, and for what rows need. */
  readonly folder: string;
  readonly upstream: Program;
  readonly upstreamPort: number;
  readonly note: (line: string) => void;
}

interface Contender extends Started {
  readonly requestFile: string;
  readonly residentIdle: number;
}

/** What an upstream sent and no client got, of streams that ended well. */
export const missingChunks = ({ pace }: Work, { good, chunks }: LoadFigures): number =>
  Math.max(0, good * (pace?.chunks ?? 0) - chunks);

const isDisturbed = ({ others }: Sample): boolean => others > mostOthers;

/** Samples to go by: the quiet ones, or where there are too few, the half that was disturbed least. */
export function kept(samples: readonly Sample[]): { readonly samples: readonly Sample[]; readonly areQuiet: boolean } {
  const quiet = samples.filter((each) => !isDisturbed(each));
  const enough = Math.ceil(samples.length / 2);
  if (quiet.length >= enough) return { samples: quiet, areQuiet: true };
  return { samples: samples.toSorted((a, b) => a.others - b.others).slice(0, enough), areQuiet: false };
}

/** With a number of requests, time is only what ends it should they not come back. */
const loadOn = (bench: Bench, at: Pick<Load, 'port' | 'requestFile'>, of: Work, seconds = bench.course.seconds) =>
  runLoad([...pinnedTo(bench.cores.load), bench.native.load], {
    ...at,
    connections: of.connections,
    seconds: of.requests > 0 ? 60 : seconds,
    rate: of.rate,
    requests: of.requests,
  });

function fileFor(bench: Bench, row: Row, work: Work): string | undefined {
  const asking = row.ask(work, bench);
  if (asking === undefined) return undefined;
  const file = join(bench.folder, `${row.name}-${work.name}-${work.rate}-${work.pace?.ms ?? ''}.http`);
  writeFileSync(file, requestOf(work, asking));
  return file;
}

/** Until it has worked for a while and a request costs no less than shortly before: compilers at run time need tens of thousands. */
async function warmUp(bench: Bench, { port, program }: Started, requestFile: string, work: Work): Promise<void> {
  const { warmSeconds } = bench.course;
  const cpuTime = (): number => {
    program?.refresh();
    return cpuTimeOf(program?.tree ?? []).threads;
  };
  const [begun, began] = [cpuTime(), performance.now()];
  const costs: number[] = [];
  while (performance.now() - began < warmSeconds * 10_000) {
    const before = cpuTime();
    const { good, bad } = await loadOn(bench, { port, requestFile }, work, 0.5);
    const after = cpuTime();
    costs.push((after - before) / Math.max(1, good + bad));
    const isFalling = median(costs.slice(-3)) < 0.95 * median(costs.slice(-6, -3));
    if (!program || (after - begun >= warmSeconds && costs.length >= 6 && !isFalling)) return;
  }
}

/** Waits until a row answers this work, and warms it up; undefined, with a note, when it does not. */
async function contend(bench: Bench, started: Started, work: Work): Promise<Contender | undefined> {
  const { row, port, program } = started;
  const [requestFile, warmUpFile] = [fileFor(bench, row, work), fileFor(bench, row, warmUpOf(work))];
  if (requestFile === undefined || warmUpFile === undefined) return undefined;
  const one = { ...work, connections: 1, rate: 0, requests: 1 };
  const began = performance.now();
  let failure = '';
  let refusals = 0;
  while (performance.now() - began < startPatienceMs && refusals < mostRefusals && !program?.hasEnded) {
    const figures = await loadOn(bench, { port, requestFile: warmUpFile }, one);
    const isWhole = figures.good === 1 && missingChunks(warmUpOf(work), figures) === 0;
    if (isWhole) {
      await warmUp(bench, started, warmUpFile, warmUpOf(work));
      return { ...started, requestFile, residentIdle: residentBytes(program?.tree ?? []) };
    }
    failure = figures.good === 1 ? 'its stream is not whole' : figures.failure;
    if (figures.good === 1 || failure.startsWith('status')) refusals += 1;
    await wait(200);
  }
  bench.note(`${row.name} does not answer ${work.name}: ${failure}\n${program?.lastWords ?? ''}`);
  return undefined;
}

/** Waits for one; false when none came. */
export async function quietMoment(bench: Bench): Promise<boolean> {
  const until = performance.now() + bench.course.patienceSeconds * 1_000;
  do {
    if ((await othersNow(() => treeOf(process.pid))) <= mostOthers) return true;
  } while (performance.now() < until);
  return false;
}

async function sampleOf(bench: Bench, work: Work, contender: Contender): Promise<Sample> {
  await quietMoment(bench);
  const { row, port, program, requestFile } = contender;
  program?.refresh();
  const measured = program?.tree ?? bench.upstream.tree;
  const ours = treeOf(process.pid);
  let resident = 0;
  const look = setInterval(() => (resident = Math.max(resident, residentBytes(measured))), 200);
  const before = [measured, bench.upstream.tree, ours].map(cpuTimeOf);
  const [busy, at] = [busySeconds(), performance.now()];
  const figures = await loadOn(bench, { port, requestFile }, work);
  const seconds = (performance.now() - at) / 1_000;
  const allBusy = busySeconds() - busy;
  const [rowCpu = 0, upstreamCpu = 0, oursCpu = 0] = [measured, bench.upstream.tree, ours].map((pids, index) => {
    const then = before[index];
    return then === undefined ? 0 : cpuBetween(then, cpuTimeOf(pids));
  });
  clearInterval(look);
  return {
    ...figures,
    row: row.name,
    work: work.name,
    rowCpu,
    upstreamCpu,
    resident: Math.max(resident, residentBytes(measured)),
    residentIdle: contender.residentIdle,
    others: Math.max(0, allBusy - oursCpu - figures.cpu) / seconds,
  };
}

/** A disturbed sample is taken once more, and the better of the two stays. */
async function sampleAgain(bench: Bench, work: Work, contender: Contender): Promise<Sample> {
  const first = await sampleOf(bench, work, contender);
  if (!isDisturbed(first)) return first;
  const second = await sampleOf(bench, work, contender);
  return second.others < first.others ? second : first;
}

/** A B C, C B A, A B C… */
async function samplesOf(bench: Bench, work: Work, started: readonly Started[]): Promise<readonly Sample[]> {
  const contenders: Contender[] = [];
  for (const each of started) {
    const contender = await contend(bench, each, work);
    if (contender) contenders.push(contender);
  }
  const samples: Sample[] = [];
  for (let round = 0; round < bench.course.rounds; round += 1) {
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed())
      samples.push(await sampleAgain(bench, work, contender));
  }
  return samples;
}

export interface Measured {
  readonly work: Work;
  readonly samples: readonly Sample[];
}

/** Every kind of work in turn, by rows that are started once for all of them. */
export async function* measure(
  bench: Bench,
  works: readonly Work[],
  rowsFor: (work: Work) => readonly Row[],
): AsyncGenerator<Measured> {
  const started: Started[] = [];
  try {
    for (const row of new Set(works.flatMap(rowsFor))) started.push(await startRow(row, bench));
    for (const work of works) {
      const rows = rowsFor(work);
      yield {
        work,
        samples: await samplesOf(
          bench,
          work,
          started.filter(({ row }) => rows.includes(row)),
        ),
      };
    }
  } finally {
    await Promise.all(started.map((each) => each.end()));
  }
}
