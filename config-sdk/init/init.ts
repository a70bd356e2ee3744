/** Makes a team repository: all of its files or none, and never over one that is there. */
import { lstatSync, realpathSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { EnvironmentFault } from '../findings.ts';
import { attempt, line } from '../git.ts';
import { createKey, hashKey } from '../keys.ts';
import { teamFiles, type CiHost } from './files.ts';

export type InitOutcome =
  | {
      readonly outcome: 'made';
      readonly directory: string;
      readonly files: readonly string[];
      /** The key of the only consumer; it is kept nowhere else. */
      readonly key: string;
      readonly newRepository: boolean;
    }
  /** What stands where files would go; nothing was written. */
  | { readonly outcome: 'in_the_way'; readonly directory: string; readonly files: readonly string[] }
  /** The directory lies below the top of another repository; nothing was written. */
  | { readonly outcome: 'inside_repository'; readonly directory: string; readonly top: string };

const kindOf = (path: string): 'nothing' | 'directory' | 'else' => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return !found ? 'nothing' : found.isDirectory() ? 'directory' : 'else';
};

/** With links resolved as far as the path exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return join(realPath(dirname(path)), basename(path));
    throw new EnvironmentFault(
      code === 'ENOTDIR'
        ? `${dirname(path)} is not a directory`
        : `${path} cannot be read: ${(error as Error).message}`,
    );
  }
}

function nearestDirectory(path: string): string {
  if (kindOf(path) === 'else') throw new EnvironmentFault(`${path} is not a directory`);
  return kindOf(path) === 'directory' ? path : nearestDirectory(dirname(path));
}

async function repositoryAround(directory: string): Promise<string | undefined> {
  const { code, output } = await attempt(nearestDirectory(directory), ['rev-parse', '--show-toplevel']);
  return code === 0 ? realpathSync(output.toString().trim()) : undefined;
}

async function branchOf(repository: string): Promise<string> {
  const { code, output } = await attempt(repository, ['symbolic-ref', '--quiet', '--short', 'HEAD']);
  return code === 0 ? output.toString().trim() : 'main';
}

/** What the schema takes as a name, made of the directory's. */
function nameFor(directory: string): string {
  const name = basename(directory)
    .replaceAll(/[^A-Za-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 64);
  return name === '' ? 'gateway' : name;
}

/** What keeps `file` from being written: itself, or something that is no folder in its path. */
function inTheWay(directory: string, file: string): string | undefined {
  const parts = file.split('/');
  for (let depth = 1; depth <= parts.length; depth += 1) {
    const path = parts.slice(0, depth).join('/');
    const kind = kindOf(join(directory, path));
    if (kind === 'nothing') return undefined;
    if (kind === 'else' || depth === parts.length) return path;
  }
  return undefined;
}

/** Step by step: Node's own way of making many at once never ends below `/proc`, where nobody can make any. */
async function makeDirectory(path: string): Promise<void> {
  if (kindOf(path) !== 'nothing') return;
  await makeDirectory(dirname(path));
  await mkdir(path);
}

async function writeAll(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  try {
    for (const [file, text] of files) {
      await makeDirectory(dirname(join(directory, file)));
      await writeFile(join(directory, file), text, { flag: 'wx' });
    }
  } catch (cause) {
    throw new EnvironmentFault(`${directory} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

export async function init(path: string, ci: CiHost): Promise<InitOutcome> {
  const directory = realPath(resolve(path));
  const top = await repositoryAround(directory);
  if (top !== undefined && top !== directory) return { outcome: 'inside_repository', directory, top };
  const key = createKey();
  const branch = top === undefined ? 'main' : await branchOf(top);
  const files = teamFiles({ directory, name: nameFor(directory), branch, keyHash: hashKey(key), ci });
  const blocked = [...files.keys()].flatMap((file) => inTheWay(directory, file) ?? []);
  if (blocked.length > 0) return { outcome: 'in_the_way', directory, files: [...new Set(blocked)].sort() };
  await writeAll(directory, files);
  if (top === undefined) await line(directory, ['init', '--quiet', `--initial-branch=${branch}`]);
  return { outcome: 'made', directory, files: [...files.keys()].sort(), key, newRepository: top === undefined };
}
