/** Files that are whole or not there: how the state directory is written and read. */
import { lstat, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Nothing that belongs into a state directory is larger; what is larger is not ours and is not read. */
const largestBytes = 16 * 1024 * 1024;

/**
 * Makes it with all above it that is missing, for this user only. Step by step: Node's own way of making many at once never
 * ends where a file system says that a folder is absent and lets nobody make it, such as `/proc`.
 */
export async function makeDirectory(path: string): Promise<void> {
  const missing: string[] = [];
  for (let place = path; !(await isThere(place)); place = dirname(place)) missing.unshift(place);
  for (const place of missing) await mkdirUnlessThere(place);
}

async function isThere(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) throw Object.assign(new Error(`ENOTDIR: ${path} is no directory`), { code: 'ENOTDIR' });
    return true;
  } catch (error) {
    if (isAbsent(error) && dirname(path) !== path) return false;
    throw error;
  }
}

async function mkdirUnlessThere(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isThere(path))) throw error;
  }
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** On disk, not only in its cache, when this resolves. */
export async function writeSynced(path: string, bytes: Uint8Array | string): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** All of the new content or all of the old, whatever happens in between. */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  try {
    await writeSynced(`${path}.new`, bytes);
  } catch (error) {
    // On a full disk the rest of it is room that is needed.
    await rm(`${path}.new`, { force: true }).catch(() => undefined);
    throw error;
  }
  await rename(`${path}.new`, path);
}

/** Only regular files: a link may lead anywhere, a pipe never ends. */
export async function readBounded(path: string): Promise<Buffer> {
  const found = await lstat(path);
  if (!found.isFile()) throw new Error(`${path} is not a file`);
  if (found.size > largestBytes) throw new Error(`${path} has ${found.size} bytes; ${largestBytes} are allowed`);
  return readFile(path);
}

export const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
