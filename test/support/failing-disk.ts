/** A directory whose disk can be made to fail: a small one of its own where this user may mount, else one that goes away. */
import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryDirectory } from './repository.ts';

export interface FailingDisk {
  readonly path: string;
  /** What is written from now on fails. */
  fill(): Promise<void>;
  /** Room again. */
  free(): Promise<void>;
  /** Nothing can be written; what is there can still be read. False where that cannot be had. */
  setReadOnly(readOnly: boolean): boolean;
}

function ran(program: string, ...words: string[]): boolean {
  try {
    execFileSync(program, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function fillUp(file: string): Promise<void> {
  // In small steps at the end, so that not even a small file finds room.
  for (const size of [64, 16, 4]) {
    const piece = Buffer.alloc(size * 1024, 1);
    for (;;) {
      try {
        await writeFile(file, piece, { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        break;
      }
    }
  }
}

export async function failingDisk(context: TestContext, kilobytes = 300): Promise<FailingDisk> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'disk');
  await mkdir(path);
  const isMounted = ran('mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=0700`, 'tmpfs', path);
  context.after(async () => {
    if (isMounted) ran('umount', '-l', path);
    await directory.remove();
  });
  const [filler, away] = [join(path, 'filler'), `${path}.away`];
  if (isMounted)
    return {
      path,
      fill: () => fillUp(filler),
      free: () => rm(filler, { force: true }),
      setReadOnly: (readOnly) => ran('mount', '-o', `remount,${readOnly ? 'ro' : 'rw'}`, path),
    };
  return {
    path,
    async fill() {
      await rename(path, away);
      await writeFile(path, '');
    },
    async free() {
      await rm(path);
      await rename(away, path);
    },
    setReadOnly: () => false,
  };
}
