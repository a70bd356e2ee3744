/** The figures as Markdown tables. */
import type { Figures } from './figures.ts';
import type { Work } from './works.ts';

type Column = readonly [head: string, cell: (figures: Figures, others: Others) => string];

interface Others {
  readonly direct: Figures | undefined;
  readonly nginx: Figures | undefined;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const ms = (micros: number): string => (micros / 1e3).toFixed(micros < 10_000 ? 3 : 1);
const added = (micros: number, direct: number | undefined): string => (direct === undefined ? '' : ms(micros - direct));
const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(0);
const times = (value: number, of: number | undefined): string => (of ? (value / of).toFixed(2) : '');
const spread = (figures: Figures): string => `${(figures.spread * 100).toFixed(0)} %${figures.areQuiet ? '' : ' ~'}`;
const failed: Column = ['failed', ({ failed: count, failure }) => (count > 0 ? `${count}: ${failure}` : '0')];

const unaryColumns: readonly Column[] = [
  ['CPU s / 1,000', ({ cpu }) => cpu.toFixed(4)],
  ['× nginx', ({ cpu }, { nginx }) => times(cpu, nginx?.cpu)],
  ['spread', spread],
  ['req/s', ({ throughput }) => whole(throughput)],
  ['p50 ms', ({ p50 }) => ms(p50)],
  ['added', ({ p50 }, { direct }) => added(p50, direct?.p50)],
  ['p99 ms', ({ p99 }) => ms(p99)],
  ['added', ({ p99 }, { direct }) => added(p99, direct?.p99)],
  ['cores', ({ cores }) => cores.toFixed(2)],
  ['RSS MiB', ({ resident }) => mib(resident)],
  failed,
];

const streamColumns: readonly Column[] = [
  ['CPU µs / chunk', ({ cpuOfChunk }) => cpuOfChunk.toFixed(2)],
  ['× nginx', ({ cpuOfChunk }, { nginx }) => times(cpuOfChunk, nginx?.cpuOfChunk)],
  ['spread', spread],
  ['streams/s', ({ throughput }) => whole(throughput)],
  ['first p50 ms', ({ firstP50 }) => ms(firstP50)],
  ['added', ({ firstP50 }, { direct }) => added(firstP50, direct?.firstP50)],
  ['first p99 ms', ({ firstP99 }) => ms(firstP99)],
  ['added', ({ firstP99 }, { direct }) => added(firstP99, direct?.firstP99)],
  ['chunk p50 ms', ({ chunkP50 }) => ms(chunkP50)],
  ['chunk p99 ms', ({ chunkP99 }) => ms(chunkP99)],
  ['cores', ({ cores }) => cores.toFixed(2)],
  ['RSS MiB', ({ resident }) => mib(resident)],
  failed,
];

const slowColumns: readonly Column[] = [
  ['CPU ms / stream', ({ cpu }) => cpu.toFixed(3)],
  ['× nginx', ({ cpu }, { nginx }) => times(cpu, nginx?.cpu)],
  ['spread', spread],
  ['complete', ({ good }) => whole(good)],
  ['KiB / stream', ({ residentOfStream }) => (residentOfStream / 1_024).toFixed(1)],
  ['RSS MiB', ({ resident }) => mib(resident)],
  ['first p50 ms', ({ firstP50 }) => ms(firstP50)],
  ['first p99 ms', ({ firstP99 }) => ms(firstP99)],
  ['chunk p99 ms', ({ chunkP99 }) => ms(chunkP99)],
  failed,
];

const columnsOf = ({ group, pace }: Work): readonly Column[] =>
  group === 'slow' ? slowColumns : pace === undefined ? unaryColumns : streamColumns;

export function markdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const widths = head.map((name, index) =>
    Math.max(2, name.length, ...lines.map((cells) => cells[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, index) => (index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), `| ${rule.join(' | ')} |`, ...lines.map(line)].join('\n');
}

export function tableOf(work: Work, all: readonly Figures[]): string {
  const others = {
    direct: all.find(({ row }) => row === 'direct'),
    nginx: all.find(({ row }) => row === 'nginx'),
  };
  const columns = columnsOf(work);
  const lines = all.map((figures) => [figures.row, ...columns.map(([, cell]) => cell(figures, others))]);
  return `### ${work.name}: ${work.title}\n\n${markdownTable(['', ...columns.map(([head]) => head)], lines)}\n`;
}
