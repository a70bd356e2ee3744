/** Programs that some tests need and npm does not bring: where they are, and what a test does without them. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Tool {
  readonly name: string;
  /** Packages that bring it on Debian. */
  readonly packages: readonly string[];
  find(): string | undefined;
}

export const tools = {
  gitHttpBackend: { name: 'git http-backend', packages: ['git'], find: findGitHttpBackend },
  redisServer: { name: 'redis-server', packages: ['redis-server'], find: () => onPath('redis-server') },
  chromium: { name: 'chromium', packages: ['chromium'], find: findChromium },
  openssl: { name: 'openssl', packages: ['openssl'], find: () => onPath('openssl') },
  sshKeygen: { name: 'ssh-keygen', packages: ['openssh-client'], find: () => onPath('ssh-keygen') },
  promtool: { name: 'promtool', packages: ['prometheus'], find: () => onPath('promtool') },
} satisfies Record<string, Tool>;

/** For the `skip` option of a test: a reason when a tool is missing; never with CI set, where the test must fail. */
export function skipWithout(...needed: Tool[]): string | false {
  if (inCi()) return false;
  const missing = needed.filter((tool) => tool.find() === undefined).map((tool) => tool.name);
  return missing.length === 0 ? false : `needs ${missing.join(' and ')}`;
}

export function inCi(): boolean {
  const value = process.env['CI'] ?? '';
  return value !== '' && value !== 'false' && value !== '0';
}

function findGitHttpBackend(): string | undefined {
  if (onPath('git') === undefined) return undefined;
  const folder = execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim();
  return executable(join(folder, 'git-http-backend'));
}

export function onPath(program: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const found = folder === '' ? undefined : executable(join(folder, program));
    if (found !== undefined) return found;
  }
  return undefined;
}

function executable(file: string): string | undefined {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}

function findChromium(): string | undefined {
  return onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome');
}
