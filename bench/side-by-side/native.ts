/** The two programs in C, compiled at start: a load generator and an upstream that are never what is measured. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from '../../test/support/tools.ts';
import { dialectNames, dialects, resource } from './dialects.ts';
import { Absent } from './row.ts';

export interface Native {
  readonly load: string;
  readonly upstream: string;
}

export function compileNative(folder: string): Native {
  const compiler = onPath('cc') ?? onPath('gcc') ?? onPath('clang');
  if (compiler === undefined)
    throw new Absent('there is no C compiler for the load generator and the upstream: apt-get install gcc libc6-dev');
  const compile = (...names: readonly [string, ...string[]]): string => {
    const program = join(folder, names[0]);
    const sources = names.map((name) => join(import.meta.dirname, 'native', `${name}.c`));
    const { status, stderr } = spawnSync(compiler, ['-O2', '-o', program, ...sources], { encoding: 'utf8' });
    if (status !== 0) throw new Absent(`${compiler} does not compile ${names[0]}.c:\n${stderr}`);
    return program;
  };
  return { load: compile('load', 'answer'), upstream: compile('upstream', 'vendor') };
}

/** What the upstream answers, as files that it reads. */
export async function writeAnswers(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of dialectNames)
    for (const [part, text] of Object.entries(dialects[name].answers))
      await writeFile(join(folder, `${name}.${part}`), text);
  await writeFile(join(folder, 'rest.whole'), resource);
}

/** What the load generator prints. Times in microseconds. */
export interface LoadFigures {
  readonly seconds: number;
  readonly good: number;
  readonly bad: number;
  readonly unanswered: number;
  readonly reconnects: number;
  readonly failure: string;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly firstP50: number;
  readonly firstP99: number;
  readonly chunks: number;
  readonly chunkP50: number;
  readonly chunkP99: number;
  /** Its own, in seconds. */
  readonly cpu: number;
}

export interface Load {
  readonly port: number;
  readonly requestFile: string;
  readonly connections: number;
  readonly seconds: number;
  readonly rate: number;
  readonly requests: number;
}

/** `until` ends it before its time. */
export async function runLoad(command: readonly string[], load: Load, until?: Promise<unknown>): Promise<LoadFigures> {
  const { port, requestFile, connections, seconds, rate, requests } = load;
  const [program = '', ...words] = command;
  const numbers = [connections, seconds, rate, requests].map(String);
  const child = spawn(program, [...words, String(port), requestFile, ...numbers], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = (): void => void child.kill('SIGTERM');
  until?.then(end, end);
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  await until;
  return JSON.parse(printed) as LoadFigures;
}
