/** Processes that share quotas and race for them, while some are killed and begin anew. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ownModules } from '../command.ts';
import type { CallerOptions, Line } from './journal.ts';

export interface RaceOptions extends Omit<CallerOptions, 'journal'> {
  readonly folder: string;
  readonly processes: number;
  readonly forMs: number;
  /** A process is killed, and another begins, about this often; without it none is. */
  readonly killEveryMs?: number;
  /** Called about as often in between, to trouble the store itself. */
  readonly trouble?: () => Promise<void>;
  /** Where nobody is killed, it is called about this often. */
  readonly troubleEveryMs?: number;
}

export interface Race {
  readonly lines: readonly Line[];
  readonly kills: number;
}

const nameOf = (process: number): string => `${process}.journal`;
const program = join(import.meta.dirname, 'caller.ts');

export async function race(asked: RaceOptions): Promise<Race> {
  const { folder, processes, forMs, killEveryMs, trouble, troubleEveryMs, ...options } = asked;
  const everyMs = killEveryMs ?? troubleEveryMs;
  let begun = 0;
  const running = new Set<ChildProcess>();
  const failed: unknown[] = [];

  function begin(): void {
    begun += 1;
    const own: CallerOptions = { ...options, journal: join(folder, nameOf(begun)) };
    const child = spawn(process.execPath, [...ownModules, program, JSON.stringify(own)], { stdio: 'inherit' });
    running.add(child);
    child.once('exit', (code, signal) => {
      running.delete(child);
      if (code !== 0 && signal === null) failed.push(code);
    });
  }

  async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async function called(process: number): Promise<void> {
    const journal = join(folder, nameOf(process));
    while (failed.length === 0 && !(existsSync(journal) && statSync(journal).size > 0)) await wait(20);
  }

  for (let each = 0; each < processes; each += 1) begin();
  let kills = 0;
  // Time that processes need to begin is not part of the race.
  for (let each = 1; each <= processes; each += 1) await called(each);
  let deadline = performance.now() + forMs;
  while (performance.now() < deadline && failed.length === 0) {
    const left = deadline - performance.now();
    await wait(Math.min(left, (everyMs ?? left) * (0.5 + Math.random())));
    const [oldest] = running;
    if (everyMs === undefined || !oldest || performance.now() >= deadline) continue;
    const pausedAt = performance.now();
    if (killEveryMs !== undefined) {
      await end(oldest, 'SIGKILL');
      kills += 1;
      begin();
    }
    await trouble?.();
    // One that never came to call would not be missed.
    await called(begun);
    deadline += performance.now() - pausedAt;
  }
  await Promise.all([...running].map((child) => end(child, 'SIGTERM')));
  if (failed.length > 0) throw new Error(`a caller failed: ${failed.join(', ')}`);
  return { lines: readLines(folder), kills };
}

function readLines(folder: string): readonly Line[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.journal'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as Line);
}
