/** Notices saves in a repository: told of them by the system, and looking for itself, because being told is not certain. */
import { watch, type FSWatcher } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const ignored = new Set(['.git', '.headgate', 'node_modules', 'dist']);
/** Editors write a file in several steps, and tools several files. */
const settleMs = 30;
/** Where files are replaced instead of written, a watcher may lose sight of them: so much later they are seen all the same. */
const lookMs = 500;
/** Looking takes at most this share of the time, however many files there are. */
const mostShare = 0.05;

export interface Saves {
  /** Grows with each save that was seen. */
  readonly count: number;
  close(): void;
}

/** Tells the present state of all files, each in a line: another state is another text. */
async function stateOf(directory: string): Promise<string> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const lines = await Promise.all(
    entries
      .filter(({ name }) => !ignored.has(name))
      .map(async (entry) => {
        const path = join(directory, entry.name);
        if (entry.isDirectory()) return stateOf(path);
        const found = await stat(path, { bigint: true }).catch(() => undefined);
        return found && `${path} ${found.ino} ${found.mtimeNs} ${found.size}\n`;
      }),
  );
  return lines.join('');
}

function watched(directory: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { recursive: true }, (_event, name) => {
      if (name === null || !name.split(/[/\\]/).some((part) => ignored.has(part))) onEvent();
    });
    // Such as too many watches: what remains is looking.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}

/** `onSave` is called once something has been saved, and for a moment nothing more. */
export async function followSaves(directory: string, onSave: () => void): Promise<Saves> {
  let state = await stateOf(directory);
  let count = 0;
  let isClosed = false;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const lookIn = (ms: number) => {
    clearTimeout(timer);
    if (!isClosed) timer = setTimeout(() => void (looking ??= look()), ms);
  };
  async function look(): Promise<void> {
    const began = performance.now();
    const found = await stateOf(directory);
    looking = undefined;
    if (found !== state && !isClosed) {
      state = found;
      count += 1;
      onSave();
    }
    lookIn(Math.max(lookMs, (performance.now() - began) / mostShare));
  }
  const watcher = watched(directory, () => lookIn(settleMs));
  lookIn(lookMs);
  return {
    get count() {
      return count;
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      watcher?.close();
    },
  };
}
