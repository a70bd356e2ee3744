/** Runs one of our scripts in a child process that may read the repository and nothing else, and collects its answer from file descriptor 3. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EnvironmentFault } from '../findings.ts';
import { conditions, ownPackages } from '../own-packages.ts';

export interface ChildOrder {
  /** Path of the script. */
  readonly script: string;
  /** Real path; the child's working directory. */
  readonly directory: string;
  /** Handed over as JSON, in the first argument. */
  readonly order: object;
  /** What the child reads from its standard input, once it is to finish. */
  readonly input?: string;
  readonly timeoutMs: number;
  /** `answer`: the time begins anew with each piece of the answer, for a child that tells step by step. */
  readonly timeoutFrom?: 'start' | 'answer';
  /** Where `console.log` of the repository's code goes. */
  readonly noise: 'stderr' | 'ignore';
}

export interface ChildAnswer {
  readonly answer: string;
  /** The end of what it wrote to standard error. */
  readonly errors: string;
  /** How it ended, when that was no good end. */
  readonly ended: string;
  readonly timedOut: boolean;
}

/** Every `node_modules` that a file in `directory` may resolve from: package scopes are read there. */
function modulesAbove(directory: string): string[] {
  const above = dirname(directory);
  const here = join(directory, 'node_modules');
  return [...(existsSync(here) ? [here] : []), ...(above === directory ? [] : modulesAbove(above))];
}

function childArguments({ directory, script, order }: ChildOrder): string[] {
  const readable = new Set([
    directory,
    ...ownPackages,
    ...ownPackages.flatMap(modulesAbove),
    ...modulesAbove(directory),
  ]);
  return [
    '--permission',
    ...[...readable].map((path) => `--allow-fs-read=${path}`),
    ...conditions.map((condition) => `--conditions=${condition}`),
    // Code made from strings has no place that a finding could name.
    '--disallow-code-generation-from-strings',
    '--no-warnings',
    // A big configuration is all live until it has been written out: collecting it early and often is in vain.
    '--min-semi-space-size=16',
    script,
    JSON.stringify(order),
  ];
}

export interface RestrictedChild {
  /** Still there, and what it may read is what one that is started now could. */
  readonly isCurrent: () => boolean;
  /** Its time begins. Rejects with `EnvironmentFault` when it could not be started. */
  readonly finish: () => Promise<ChildAnswer>;
  /** Ends one that is not needed. */
  readonly discard: () => void;
}

export function startRestricted(order: ChildOrder): RestrictedChild {
  const { directory, input, noise, timeoutMs, timeoutFrom } = order;
  const parameters = childArguments(order);
  const child = spawn(process.execPath, parameters, {
    cwd: directory,
    // Nothing of the caller's environment: neither its secrets nor its time zone and language may reach the result.
    env: { TZ: 'UTC', LC_ALL: 'C' },
    stdio: [input === undefined ? 'ignore' : 'pipe', noise === 'stderr' ? process.stderr : 'ignore', 'pipe', 'pipe'],
  });
  const answer: Buffer[] = [];
  let errors = '';
  // A child that ends before it has read everything says so by its end.
  child.stdin?.on('error', () => undefined);
  child.stdio[3]?.on('data', (piece: Buffer) => answer.push(piece));
  child.stderr?.on('data', (piece: Buffer) => (errors = (errors + piece.toString()).slice(-4_000)));
  let isGone = false;
  const end = new Promise<string>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(
        new EnvironmentFault(`the process that evaluates configuration could not start: ${cause.message}`, { cause }),
      ),
    );
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  // One that waits may end before anybody asks.
  const gone = () => void (isGone = true);
  end.then(gone, gone);

  async function finish(): Promise<ChildAnswer> {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    if (timeoutFrom === 'answer') child.stdio[3]?.on('data', () => timer.refresh());
    child.stdin?.end(input);
    const ended = await end.finally(() => clearTimeout(timer));
    return { answer: Buffer.concat(answer).toString(), errors, ended, timedOut };
  }
  const isCurrent = () => !isGone && childArguments(order).join('\0') === parameters.join('\0');
  return { isCurrent, finish, discard: () => void child.kill('SIGKILL') };
}

/** Rejects with `EnvironmentFault` when no process can be started. */
export const runRestricted = (order: ChildOrder): Promise<ChildAnswer> => startRestricted(order).finish();

/** The line of a child's errors that says most. */
export const errorLineIn = (errors: string): string =>
  errors
    .trim()
    .split('\n')
    .find((line) => /Error/.test(line)) ?? '';
