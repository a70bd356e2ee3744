/** Brings peers into a cache folder of their own: nothing of this project's dependencies or of the system changes. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onPath } from '../../test/support/tools.ts';
import { Absent } from '../side-by-side/row.ts';

const run = promisify(execFile);
const installTimeoutMs = 600_000;

export const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'headgate', 'bench');

/** The last line that says something. */
function lastWords(error: unknown): string {
  const said = `${(error as { stderr?: string }).stderr ?? ''}\n${(error as Error).message}`;
  return (
    said
      .split('\n')
      .map((line) => line.trim())
      .findLast((line) => line !== '') ?? ''
  );
}

/** Fills `folder` of the cache once; what was begun and not ended is begun again. */
export async function installed(name: string, install: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    await install(unfinished);
  } catch (error) {
    throw new Absent(`installing ${name} failed: ${lastWords(error)}`);
  }
  await rename(unfinished, folder);
  return folder;
}

export async function runIn(folder: string, program: string, ...words: string[]): Promise<string> {
  const { stdout } = await run(program, words, {
    cwd: folder,
    timeout: installTimeoutMs,
    maxBuffer: 64 * 1_024 * 1_024,
  });
  return stdout;
}

interface DebianProgram {
  readonly program: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Each with the libraries that an ordinary system lacks. */
const debianPackages = {
  nginx: ['nginx'],
  haproxy: ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
} as const;

/** As installed, or unpacked from its Debian packages, which needs no rights and starts nothing. */
export async function debianProgram(name: keyof typeof debianPackages): Promise<DebianProgram> {
  const found = onPath(name) ?? [`/usr/sbin/${name}`].find(existsSync);
  if (found !== undefined) return { program: found, version: await versionOf(found, {}), env: {} };
  if (onPath('apt-get') === undefined) throw new Absent(`${name} is not installed, and there is no apt-get`);
  const folder = await installed(name, async (into) => {
    await runIn(into, 'apt-get', 'download', ...debianPackages[name]);
    for (const file of await readdir(into)) await runIn(into, 'dpkg-deb', '-x', file, '.');
  });
  const libraries = ['usr/lib/x86_64-linux-gnu', 'usr/lib/aarch64-linux-gnu'].map((each) => join(folder, each));
  const env = { LD_LIBRARY_PATH: libraries.join(':') };
  const program = join(folder, 'usr/sbin', name);
  return { program, version: await versionOf(program, env), env };
}

async function versionOf(program: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout, stderr } = await run(program, ['-v'], { env: { ...process.env, ...env } });
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'of unknown version';
}

/** Of a package that this project depends on. */
export function packageVersion(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
