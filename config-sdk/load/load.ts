/** Evaluates a repository's configuration in a child process that may read and nothing else. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentFault } from '../findings.ts';
import { conditions, fromSource, ownPackages } from '../own-packages.ts';
import { isLoadDocument, type LoadDocument, type LoadOrder } from './document.ts';

export const configFile = 'gateway.config.ts';

export interface LoadOptions {
  /** Longest time the evaluation may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** Where `console.log` in a configuration goes. */
  readonly noise?: 'stderr' | 'ignore';
}

export type Loaded =
  | { readonly document: LoadDocument }
  | { readonly fault: 'config_timeout' | 'config_failed'; readonly message: string };

/** Every `node_modules` that a file in `directory` may resolve from: package scopes are read there. */
function modulesAbove(directory: string): string[] {
  const above = dirname(directory);
  const here = join(directory, 'node_modules');
  return [...(existsSync(here) ? [here] : []), ...(above === directory ? [] : modulesAbove(above))];
}

function childArguments(directory: string): string[] {
  const order: LoadOrder = { directory, config: configFile, packages: ownPackages };
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
    fileURLToPath(new URL(`./child.${fromSource ? 'ts' : 'js'}`, import.meta.url)),
    JSON.stringify(order),
  ];
}

/** `directory` is a real path. */
export function load(directory: string, { timeoutMs = 20_000, noise = 'ignore' }: LoadOptions = {}): Promise<Loaded> {
  const child = spawn(process.execPath, childArguments(directory), {
    cwd: directory,
    // Nothing of the caller's environment: neither its secrets nor its time zone and language may reach the result.
    env: { TZ: 'UTC', LC_ALL: 'C' },
    stdio: ['ignore', noise === 'stderr' ? process.stderr : 'ignore', 'pipe', 'pipe'],
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const answer: Buffer[] = [];
  let errors = '';
  child.stdio[3]?.on('data', (piece: Buffer) => answer.push(piece));
  child.stderr?.on('data', (piece: Buffer) => (errors = (errors + piece.toString()).slice(-4_000)));
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(
        new EnvironmentFault(`the process that evaluates configuration could not start: ${cause.message}`, { cause }),
      );
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (timedOut)
        return resolve({
          fault: 'config_timeout',
          message: `evaluating ${configFile} took longer than ${timeoutMs / 1_000} s`,
        });
      try {
        const document: unknown = JSON.parse(Buffer.concat(answer).toString());
        if (isLoadDocument(document)) return resolve({ document });
        return resolve({
          fault: 'config_failed',
          message: `evaluating ${configFile} gave no answer that can be read: it changes what objects or lists are`,
        });
      } catch {
        const last =
          errors
            .trim()
            .split('\n')
            .find((line) => /Error/.test(line)) ?? '';
        return resolve({
          fault: 'config_failed',
          message: `evaluating ${configFile} ended with ${signal ?? `exit code ${code}`}${last && `: ${last}`}`,
        });
      }
    });
  });
}
