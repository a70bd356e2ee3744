/** Processes of the benchmark: each on its processors, with its whole tree known, and none left behind. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { onPath } from '../../test/support/tools.ts';
import { freePort } from '../../test/support/redis.ts';
import { treeOf } from './machine.ts';
import type { Row } from './row.ts';

/** Which processors the gateways have, and which the load and the upstream. */
export interface Cores {
  readonly gateway: readonly number[];
  readonly load: readonly number[];
}

/** Words before a command that keep it on `cores`. */
export function pinnedTo(cores: readonly number[]): readonly string[] {
  const taskset = onPath('taskset');
  return taskset === undefined || cores.length === 0 ? [] : [taskset, '-c', cores.join(',')];
}

/** What must not outlive this process. */
const running = new Set<Program>();
process.once('exit', () => running.forEach((each) => each.kill()));

export class Program {
  readonly #child: ChildProcess;
  readonly #log: string;
  #tree: readonly number[] = [];

  constructor(command: readonly string[], log: string, env: NodeJS.ProcessEnv = process.env) {
    const [program = '', ...words] = command;
    this.#log = log;
    const file = openSync(log, 'w');
    this.#child = spawn(program, words, { stdio: ['ignore', file, file], env, detached: true });
    closeSync(file);
    running.add(this);
  }

  /** Its process and those below it, as `refresh` found them last. */
  get tree(): readonly number[] {
    return this.#tree;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The end of what it printed. */
  get lastWords(): string {
    return readFileSync(this.#log, 'utf8').trim().split('\n').slice(-12).join('\n');
  }

  refresh(): void {
    this.#tree = this.#child.pid === undefined ? [] : treeOf(this.#child.pid);
  }

  async end(): Promise<void> {
    running.delete(this);
    if (this.hasEnded) return;
    const ended = once(this.#child, 'close');
    this.#signal('SIGTERM');
    const killed = wait(3_000, undefined, { ref: false }).then(() => this.#signal('SIGKILL'));
    await Promise.race([ended, killed.then(() => ended)]);
  }

  kill(): void {
    this.#signal('SIGKILL');
  }

  /** To its whole group: what it started goes with it. */
  #signal(name: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, name);
    } catch {
      // It is gone already.
    }
  }
}

export interface Started {
  readonly row: Row;
  readonly port: number;
  /** Undefined for the upstream itself. */
  readonly program: Program | undefined;
  end(): Promise<void>;
}

interface Surroundings {
  readonly folder: string;
  readonly upstreamPort: number;
  readonly cores: Cores;
}

/** Starts a row on its processors; whether it answers is for the caller to see. */
export async function startRow(row: Row, { folder: parent, upstreamPort, cores }: Surroundings): Promise<Started> {
  const [port, folder] = [await freePort(), mkdtempSync(join(parent, `${row.name}-`))];
  const launch = await row.launch({ port, upstreamPort, folder });
  if (launch === undefined)
    return { row, port: upstreamPort, program: undefined, end: async () => rmSync(folder, { recursive: true }) };
  const env = { PATH: process.env['PATH'], HOME: folder, NODE_ENV: 'production', ...launch.env };
  const command = [...pinnedTo(row.isEverywhere ? [] : cores.gateway), launch.program, ...launch.words];
  const program = new Program(command, join(folder, launch.log ?? 'printed'), env);
  return {
    row,
    port,
    program,
    async end() {
      await program.end();
      await launch.close?.();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
