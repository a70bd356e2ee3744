/**
 * From `exec` to the first answer, and what an idle gateway weighs: built packages, a small configuration, a last-known-good on
 * disk, and a bare `node:http` server as the floor. `npm run build && npm run bench:start [-- rounds]`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { availableParallelism, cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openArtifact } from '../runtime/artifact.ts';
import { createLog } from '../runtime/log.ts';
import { openKeep } from '../runtime/sync/keep/disk.ts';
import { artifactBranch, sourceOf } from '../test/support/artifact-branch.ts';
import { artifactFiles, testKey } from '../test/support/gateway.ts';
import { installPackages } from '../test/support/install-packages.ts';
import { freePort } from '../test/support/redis.ts';
import { initRepository, temporaryDirectory } from '../test/support/repository.ts';
import { body, cpuMsOf, snapshot } from './one-reply.ts';

const rounds = Number(process.argv[2] ?? 10);
const root = resolve(import.meta.dirname, '..');
/** Within the folder whose dependencies the packages use. */
const place = join(root, 'node_modules', '.bench-start');
/** Until the threads that have nothing to do are gone. */
const idleMs = 15_000;
const giveUpMs = 20_000;

interface Side {
  readonly name: string;
  /** Port and a directory of its own, which the last round left as it is. */
  readonly parameters: (port: number) => readonly string[];
  readonly starts: { readonly wallMs: number; readonly cpuMs: number }[];
  readonly sizes: { readonly residentMb: number; readonly shareMb: number }[];
}

const bare = `
  const http = require('node:http');
  http.createServer((request, response) => request.resume().on('end', () => response.end('{}')))
    .listen(Number(process.argv[1]), '127.0.0.1');
`;

/** The status, or undefined where nobody listens yet. */
function askOnce(port: number): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' };
  return new Promise((answered) => {
    const sent = request({ port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST', headers });
    sent.on('response', (response) => response.resume().on('end', () => answered(response.statusCode)));
    sent.on('error', () => answered(undefined)).end(body);
  });
}

/** The process and all that it started. */
function treeOf(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(treeOf)];
}

function megabytes(pid: number, file: string, field: string): number {
  const told = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'latin1'));
  return Number(told?.[1] ?? 0) / 1_024;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), giveUpMs);
  await once(child, 'exit');
  clearTimeout(timer);
}

async function startOnce(side: Side, isWeighed: boolean): Promise<void> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, side.parameters(port), { stdio: ['ignore', 'ignore', 'inherit'] });
  const pid = child.pid ?? 0;
  try {
    while ((await askOnce(port)) !== 200) {
      if (child.exitCode !== null || performance.now() - began > giveUpMs)
        throw new Error(`${side.name} did not come to serve`);
      await sleep(2);
    }
    side.starts.push({ wallMs: performance.now() - began, cpuMs: sum(treeOf(pid).map(cpuMsOf)) });
    if (!isWeighed) return;
    await sleep(idleMs);
    const pids = treeOf(pid);
    const residentMb = sum(pids.map((each) => megabytes(each, 'status', 'VmRSS')));
    side.sizes.push({ residentMb, shareMb: sum(pids.map((each) => megabytes(each, 'smaps_rollup', 'Pss'))) });
  } finally {
    await end(child);
  }
}

function median(values: readonly number[]): string {
  return (values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN).toFixed(0);
}

function print(sides: readonly Side[]): void {
  process.stdout.write(
    `Node ${process.version}, ${availableParallelism()} CPUs (${cpus()[0]?.model}), ${rounds} rounds in turns, medians\n` +
      '| start | to the first answer | CPU by then | resident when idle | proportional share |\n| --- | --- | --- | --- | --- |\n',
  );
  for (const { name, starts, sizes } of sides) {
    const cells = [
      `${median(starts.map(({ wallMs }) => wallMs))} ms`,
      `${median(starts.map(({ cpuMs }) => cpuMs))} ms`,
      `${median(sizes.map(({ residentMb }) => residentMb))} MiB`,
      `${median(sizes.map(({ shareMb }) => shareMb))} MiB`,
    ];
    process.stdout.write(`| ${[name, ...cells].join(' | ')} |\n`);
  }
}

await rm(place, { recursive: true, force: true });
await mkdir(place, { recursive: true });
try {
  await installPackages(root, place);
  await using repository = await temporaryDirectory();
  await initRepository(repository.path, { bare: true });
  const commit = await artifactBranch(repository.path).publish(snapshot);
  const files = artifactFiles(snapshot, { seq: 1, commit: sourceOf(1) });
  const sideOf = (name: string, parameters: Side['parameters']): Side => ({ name, parameters, starts: [], sizes: [] });
  const sides = [sideOf('bare node:http', (port) => ['-e', bare, String(port)])];
  for (const workers of [1, 2]) {
    const state = join(place, `state-${workers}`);
    const keep = await openKeep(state, createLog('silent'));
    await keep.promote(openArtifact({ commit, files }, { now: 'any' }));
    await keep.close();
    const flags = ['--repo', repository.path, '--state-dir', state, '--store', join(place, `store-${workers}`)];
    const quiet = ['--log-level', 'error', '--admin', '127.0.0.1:0', '--workers', String(workers)];
    const program = join(place, 'node_modules/headgate/bin/headgate.js');
    const parameters = (port: number) => [program, 'serve', ...flags, ...quiet, '--listen', `127.0.0.1:${port}`];
    sides.push(sideOf(`headgate serve --workers ${workers}`, parameters));
  }
  // The first of each fills the cache of compiled code.
  for (const side of sides) await startOnce(side, false);
  for (const side of sides) side.starts.length = 0;
  for (let round = 0; round < rounds; round += 1) for (const side of sides) await startOnce(side, round < 3);
  print(sides);
} finally {
  await rm(place, { recursive: true, force: true });
}
