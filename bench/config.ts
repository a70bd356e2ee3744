/**
 * What authoring costs on a big tree: `check` and `build` from cold beside a bare `tsc --noEmit` of the same tree, one changed
 * file under `dev --watch`, and memory. In one run, turn by turn, so that what else the machine does hits all of them alike.
 * `node --conditions=source bench/config.ts [rounds]`
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { edit, promised, writeTree } from './config-tree.ts';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const rounds = Number(process.argv[2] ?? 5);
const timer = '/usr/bin/time';

interface Measured {
  readonly wall: number;
  /** Of the processor, in user and system code, all processes together. */
  readonly processor: number;
  /** Of the largest process. */
  readonly megabytes: number;
}

/** Runs a program on this Node; without GNU time only the wall is known. */
async function measured(folder: string, parameters: readonly string[]): Promise<Measured> {
  const hasTimer = existsSync(timer);
  const command = [process.execPath, ...parameters];
  const [program = '', ...rest] = hasTimer ? [timer, '-f', 'measured %U %S %M', ...command] : command;
  const began = performance.now();
  const { stderr } = await run(program, rest, { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
  const wall = (performance.now() - began) / 1000;
  const [user = NaN, system = NaN, kilobytes = NaN] = (/^measured (.*)$/m.exec(stderr)?.[1] ?? '')
    .split(' ')
    .map(Number);
  return { wall, processor: user + system, megabytes: kilobytes / 1024 };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? NaN;
const least = (values: readonly number[]): number => Math.min(...values);

/** The most a process has held, and those that it keeps beside it. */
async function peakOf(id: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
  const children = await readFile(`/proc/${id}/task/${id}/children`, 'utf8').catch(() => '');
  const below = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => peakOf(Number(child))),
  );
  const own = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024;
  return below.reduce((sum, each) => sum + each, own);
}

interface Watched {
  readonly served: number[];
  /** Where other files can see the change, and must be looked at too. */
  readonly seenByOthers: number[];
  readonly megabytes: number;
}

/** Seconds from a save until another revision serves. */
async function watched(folder: string, command: string): Promise<Watched> {
  const parameters = [command, 'dev', '--watch', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const env = { ...process.env, OPENAI_API_KEY: 'none', ANTHROPIC_API_KEY: 'none' };
  const child = spawn(process.execPath, parameters, { cwd: folder, env });
  try {
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => (output += piece.toString()));
    const address = async (): Promise<string> => {
      for (;;) {
        const found = /(http:\S+)\/console/.exec(output)?.[1];
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`dev ended: ${output}`);
        await wait(50);
      }
    };
    const url = await address();
    const serving = async () =>
      ((await (await fetch(`${url}/status`)).json()) as { active?: { revision: string } | null }).active?.revision;
    while ((await serving()) === undefined) await wait(50);
    const save = async (round: number, added = ''): Promise<number> => {
      // Whoever edits by hand reads for a moment before the next save.
      await wait(2_500);
      const before = await serving();
      const began = performance.now();
      await edit(folder, round, added);
      while ((await serving()) === before) {
        if (performance.now() - began > 60_000) throw new Error(`nothing new is served: ${output}`);
        await wait(20);
      }
      return (performance.now() - began) / 1000;
    };
    const served: number[] = [];
    for (let round = 0; round < rounds; round += 1) served.push(await save(round));
    const seenByOthers: number[] = [];
    for (let round = 0; round < rounds; round += 1)
      seenByOthers.push(await save(rounds + round, 'export const added = 1;\n'));
    return { served, seenByOthers, megabytes: await peakOf(child.pid) };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Seconds that the compilation alone takes after one file changed. */
async function recompiled(folder: string): Promise<number[]> {
  const script = join(import.meta.dirname, 'config-again.ts');
  const { stdout } = await run(process.execPath, [script, folder, String(rounds)]);
  return JSON.parse(stdout) as number[];
}

// What was built here before stays: repositories made from this checkout read their types there.
const dists = ['runtime/dist', 'config-sdk/dist'].map((name) => join(root, name)).filter((dist) => !existsSync(dist));
const folder = await realpath(await mkdtemp(join(tmpdir(), 'headgate-config-')));
try {
  await run('npm', ['run', 'build'], { cwd: root });
  const files = await writeTree(root, folder, promised);
  const command = join(folder, 'node_modules/headgate/bin/headgate.js');
  const subjects: Readonly<Record<string, readonly string[]>> = {
    'tsc --noEmit': [join(folder, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', folder],
    'headgate check': [command, 'check'],
    'headgate build': [command, 'build'],
  };
  const results = new Map(Object.keys(subjects).map((name) => [name, [] as Measured[]]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, parameters] of Object.entries(subjects))
      results.get(name)?.push(await measured(folder, parameters));
  const compiled = await recompiled(folder);
  const { served, seenByOthers, megabytes } = await watched(folder, command);

  const bare = (results.get('tsc --noEmit') ?? []).map(({ wall }) => wall);
  const limits: Readonly<Record<string, string>> = { 'headgate check': '2 ×', 'headgate build': '3 ×' };
  const lines = [...results].map(([name, all]) => {
    const walls = all.map(({ wall }) => wall);
    const times = `${median(walls).toFixed(2)} s | ${least(walls).toFixed(2)} s`;
    const ratio = `${(median(walls) / median(bare)).toFixed(2)} × | ${(least(walls) / least(bare)).toFixed(2)} ×`;
    const processor = median(all.map((each) => each.processor)).toFixed(2);
    const memory = Math.round(median(all.map((each) => each.megabytes)));
    return `| ${name} | ${limits[name] ?? ''} | ${times} | ${ratio} | ${processor} s | ${memory} MiB |`;
  });
  const inSeconds = (values: readonly number[]) => `${median(values).toFixed(2)} s | ${least(values).toFixed(2)} s`;
  process.stdout.write(
    [
      `${promised.routes} routes, ${promised.prompts} prompts, ${files} files; ${rounds} rounds`,
      '',
      '| from cold | promised | median | least | to tsc: median | least | processor | largest process |',
      '| --- | --- | --- | --- | --- | --- | --- | --- |',
      ...lines,
      '',
      '| one changed file | promised | median | least | memory |',
      '| --- | --- | --- | --- | --- |',
      `| compiled again | | ${inSeconds(compiled)} | |`,
      `| served, dev --watch | 1 s | ${inSeconds(served)} | ${Math.round(megabytes)} MiB |`,
      `| served, with another export | | ${inSeconds(seenByOthers)} | |`,
      '',
    ].join('\n'),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
  for (const dist of dists) await rm(dist, { recursive: true, force: true });
}
