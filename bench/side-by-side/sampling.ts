/** Samples of one kind of work: all rows started, warmed up, and measured in turns, with an eye on who else uses the machine. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { busySeconds, cpuBetween, cpuTimeOf, othersNow, residentBytes, treeOf } from './machine.ts';
import { runLoad, type LoadFigures, type Native } from './native.ts';
import type { Row } from './row.ts';
import { pinnedTo, startRow, type Cores, type Program, type Started } from './running.ts';
import { requestOf, warmUpOf, type Work } from './works.ts';

/** Processors that others may keep busy during a sample before it counts as disturbed. */
const mostOthers = 0.15;
const startPatienceMs = 90_000;

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
  /** For requests as files. */
  readonly folder: string;
  readonly upstream: Program;
  readonly upstreamPort: number;
  readonly note: (line: string) => void;
}

interface Contender extends Started {
  readonly requestFile: string;
  readonly warmUpFile: string;
  residentIdle: number;
}

const isDisturbed = ({ others }: Sample): boolean => others > mostOthers;

/** Samples to go by: the quiet ones, or where there are too few, the half that was disturbed least. */
export function kept(samples: readonly Sample[]): { readonly samples: readonly Sample[]; readonly areQuiet: boolean } {
  const quiet = samples.filter((each) => !isDisturbed(each));
  const enough = Math.ceil(samples.length / 2);
  if (quiet.length >= enough) return { samples: quiet, areQuiet: true };
  return { samples: samples.toSorted((a, b) => a.others - b.others).slice(0, enough), areQuiet: false };
}

const loadOn = (bench: Bench, port: number, requestFile: string, of: Omit<Work, 'name'>, seconds: number) =>
  runLoad([...pinnedTo(bench.cores.load), bench.native.load], {
    port,
    requestFile,
    connections: of.connections,
    // With a number of requests, time is only what ends it should they not come back.
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

/** Starts a row and waits until it answers this work; undefined, with a note, when it does not. */
async function contend(bench: Bench, row: Row, work: Work): Promise<Contender | undefined> {
  const [requestFile, warmUpFile] = [fileFor(bench, row, work), fileFor(bench, row, warmUpOf(work))];
  if (requestFile === undefined || warmUpFile === undefined) return undefined;
  const started = await startRow(row, bench.upstreamPort, bench.cores.gateway);
  const began = performance.now();
  let failure = 'it does not accept connections';
  while (performance.now() - began < startPatienceMs && !started.program?.hasEnded) {
    const figures = await loadOn(bench, started.port, warmUpFile, { ...work, connections: 1, rate: 0, requests: 1 }, 5);
    if (figures.good === 1) {
      await loadOn(bench, started.port, warmUpFile, warmUpOf(work), bench.course.warmSeconds);
      started.program?.refresh();
      return { ...started, requestFile, warmUpFile, residentIdle: residentBytes(started.program?.tree ?? []) };
    }
    failure = figures.failure;
    await wait(200);
  }
  bench.note(`${row.name} does not answer ${work.name}: ${failure}\n${started.program?.lastWords ?? ''}`);
  await started.end();
  return undefined;
}

async function quietMoment(bench: Bench): Promise<void> {
  const until = performance.now() + bench.course.patienceSeconds * 1_000;
  while (performance.now() < until && (await othersNow(() => treeOf(process.pid))) > mostOthers);
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
  const figures = await loadOn(bench, port, requestFile, work, bench.course.seconds);
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

/** All samples of one kind of work: A B C, C B A, A B C… */
export async function measure(bench: Bench, work: Work, rows: readonly Row[]): Promise<readonly Sample[]> {
  const contenders: Contender[] = [];
  const samples: Sample[] = [];
  try {
    for (const row of rows) {
      const contender = await contend(bench, row, work);
      if (contender) contenders.push(contender);
    }
    for (let round = 0; round < bench.course.rounds; round += 1) {
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed())
        samples.push(await sampleAgain(bench, work, contender));
    }
  } finally {
    await Promise.all(contenders.map((each) => each.end()));
  }
  return samples;
}
