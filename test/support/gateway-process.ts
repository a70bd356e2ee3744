/** Runs a gateway as a process of its own, for what only shows there: its log, its environment, its signals. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { artifactFiles } from './gateway.ts';
import { ownModules } from './command.ts';
import { until } from './until.ts';

const root = resolve(import.meta.dirname, '../..');

/** `console.error` carries the addresses out, so that standard output stays what it is: the log. */
const program = `
import { serve, untilSignalled } from './runtime/serve.ts';
import { readSettings } from './runtime/settings.ts';
const gateway = await serve(readSettings(process.argv.slice(1), [], {}));
const ended = untilSignalled(gateway);
console.error(JSON.stringify({ dataUrl: gateway.dataUrl, adminUrl: gateway.adminUrl }));
await ended;
`;

export interface LogLine extends Record<string, unknown> {
  readonly event?: string;
  readonly path?: string;
}

export interface GatewayProcess {
  readonly dataUrl: string;
  readonly adminUrl: string;
  readonly pid: number;
  /** Everything the process has written so far, to either stream. */
  readonly output: () => string;
  /** The log line of the request to `path`, once it is there. */
  logged(path: string): Promise<LogLine>;
  signal(name: NodeJS.Signals): void;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  kill(): Promise<void>;
}

export async function startProcess(
  snapshot: SnapshotInput,
  environment: NodeJS.ProcessEnv = {},
  flags: readonly string[] = [],
): Promise<GatewayProcess> {
  const seed = await mkdtemp(join(tmpdir(), 'headgate-seed-'));
  for (const [name, bytes] of artifactFiles(snapshot)) await writeFile(join(seed, name), bytes);
  const own = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--workers', '1', '--seed', seed];
  const parameters = [...ownModules, '--input-type=module', '-e', program, '--', ...own, ...flags];
  const { PATH, NODE_COMPILE_CACHE, BUILT_PACKAGES } = process.env;
  const env = { PATH, NODE_COMPILE_CACHE, BUILT_PACKAGES, ...environment };
  const child = spawn(process.execPath, parameters, { cwd: root, env });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  let output = '';
  const lines: LogLine[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    output += `${line}\n`;
    lines.push(JSON.parse(line) as LogLine);
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const told = await until(
    'the process to serve',
    async () => {
      if (child.exitCode !== null) throw new Error(`the process ended: ${errors}`);
      return errors.includes('\n') && errors.slice(0, errors.indexOf('\n'));
    },
    15_000,
  );
  await rm(seed, { recursive: true });
  return {
    ...(JSON.parse(told) as { dataUrl: string; adminUrl: string }),
    pid: child.pid ?? 0,
    output: () => output + errors,
    logged: (path) =>
      until(`a log line about ${path}`, async () =>
        lines.find((line) => line.event === 'request' && line.path === path),
      ),
    signal: (name) => void child.kill(name),
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
