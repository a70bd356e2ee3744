/** What the samples of a row say: medians, and how far apart they lie. */
import { median } from './median.ts';
import { kept, missingChunks, type Sample } from './sampling.ts';
import type { Work } from './works.ts';

export interface Figures {
  readonly row: string;
  /** Processor time of a request, in milliseconds: as many seconds for a thousand of them. */
  readonly cpu: number;
  /** Widest distance of two samples of it, as a share of the median. */
  readonly spread: number;
  /** Of a chunk, in microseconds. */
  readonly cpuOfChunk: number;
  readonly throughput: number;
  /** Processors that the row kept busy. */
  readonly cores: number;
  /** Latencies in microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly firstP50: number;
  readonly firstP99: number;
  readonly chunkP50: number;
  readonly chunkP99: number;
  /** Bytes. */
  readonly resident: number;
  readonly residentOfStream: number;
  readonly good: number;
  /** Refused, broken off, not whole, or never answered. */
  readonly failed: number;
  readonly failure: string;
  readonly areQuiet: boolean;
}

const requestsOf = ({ good, bad }: Sample): number => Math.max(1, good + bad);
const cpuOf = (sample: Sample): number => (sample.rowCpu * 1e3) / requestsOf(sample);

function figuresOf(row: string, work: Work, all: readonly Sample[]): Figures {
  const { samples, areQuiet } = kept(all);
  const over = (value: (sample: Sample) => number): number => median(samples.map(value));
  const cpus = samples.map(cpuOf);
  const failed = (sample: Sample): number =>
    sample.bad + sample.unanswered + Math.ceil(missingChunks(work, sample) / (work.pace?.chunks ?? 1));
  return {
    row,
    cpu: median(cpus),
    spread: (Math.max(...cpus) - Math.min(...cpus)) / median(cpus),
    cpuOfChunk: over((sample) => (sample.rowCpu * 1e6) / Math.max(1, sample.chunks)),
    throughput: over((sample) => requestsOf(sample) / sample.seconds),
    cores: over((sample) => sample.rowCpu / sample.seconds),
    p50: over(({ p50 }) => p50),
    p99: over(({ p99 }) => p99),
    firstP50: over(({ firstP50 }) => firstP50),
    firstP99: over(({ firstP99 }) => firstP99),
    chunkP50: over(({ chunkP50 }) => chunkP50),
    chunkP99: over(({ chunkP99 }) => chunkP99),
    resident: over(({ resident }) => resident),
    residentOfStream: over(({ resident, residentIdle }) => (resident - residentIdle) / work.connections),
    good: over(({ good }) => good),
    failed: all.reduce((sum, sample) => sum + failed(sample), 0),
    failure: all.find(({ failure }) => failure !== '')?.failure ?? 'not whole, or no answer',
    areQuiet,
  };
}

/** One of each row, in the order in which they were measured first. */
export function allFigures(work: Work, samples: readonly Sample[]): readonly Figures[] {
  return [...Map.groupBy(samples, ({ row }) => row)].map(([row, own]) => figuresOf(row, work, own));
}
