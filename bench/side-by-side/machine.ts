/** What the kernel tells about processes and the machine: processor time of whole trees, memory, and what others take meanwhile. */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';

/** Of `/proc`: everywhere where Node runs. */
const ticksPerSecond = 100;
const pageBytes = 4_096;

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It ended meanwhile.
    return '';
  }
}

const fieldsOf = (pid: number): string[] => {
  const line = read(`/proc/${pid}/stat`);
  // The name before the last parenthesis may hold anything.
  return line.slice(line.lastIndexOf(')') + 2).split(' ');
};

/** A process and all below it. */
export function treeOf(root: number): readonly number[] {
  const parents = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
    .map((pid) => [pid, Number(fieldsOf(pid)[1])] as const);
  const tree = [root];
  for (const one of tree) tree.push(...parents.filter(([, parent]) => parent === one).map(([pid]) => pid));
  return tree;
}

export interface CpuTime {
  /** By threads that live, to the nanosecond. */
  readonly threads: number;
  /** With those that ended, to a hundredth of a second. */
  readonly ticks: number;
}

/** Seconds of processor time, user and system. */
export function cpuTimeOf(pids: readonly number[]): CpuTime {
  let [threads, ticks] = [0, 0];
  for (const pid of pids) {
    const fields = fieldsOf(pid);
    ticks += (Number(fields[11]) + Number(fields[12])) / ticksPerSecond || 0;
    let tasks: string[] = [];
    try {
      tasks = readdirSync(`/proc/${pid}/task`);
    } catch {
      continue;
    }
    for (const task of tasks) threads += Number(read(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0]) / 1e9 || 0;
  }
  return { threads, ticks };
}

/** Threads that ended in between are in the coarse figure only. */
export const cpuBetween = (before: CpuTime, after: CpuTime): number =>
  Math.max(after.threads - before.threads, after.ticks - before.ticks - 1 / ticksPerSecond);

/** Resident bytes. */
export const residentBytes = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + (Number(read(`/proc/${pid}/statm`).split(' ')[1]) * pageBytes || 0), 0);

/** Seconds that all processors were busy so far; time that a host took away is nobody's. */
export function busySeconds(): number {
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = (
    read('/proc/stat').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + interrupts + softInterrupts) / ticksPerSecond;
}

/** How many processors others than `ours` keep busy, looked at for a moment. */
export async function othersNow(ours: () => readonly number[]): Promise<number> {
  const [busy, own, at] = [busySeconds(), cpuTimeOf(ours()), performance.now()];
  await wait(200);
  const seconds = (performance.now() - at) / 1_000;
  return Math.max(0, busySeconds() - busy - cpuBetween(own, cpuTimeOf(ours()))) / seconds;
}

/** Processors that this process may use. */
export function allowedCores(): readonly number[] {
  const list = /Cpus_allowed_list:\s*(\S+)/.exec(read('/proc/self/status'))?.[1] ?? '0';
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

export function machineInWords(): string {
  const memory = Number(/MemTotal:\s*(\d+)/.exec(read('/proc/meminfo'))?.[1] ?? 0) / 1_048_576;
  const system = /PRETTY_NAME="(.*)"/.exec(read('/etc/os-release'))?.[1] ?? process.platform;
  return `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${memory.toFixed(0)} GiB, ${system}, Linux ${release()}`;
}

export const loadInWords = (): string =>
  loadavg()
    .map((load) => load.toFixed(2))
    .join(' ');
