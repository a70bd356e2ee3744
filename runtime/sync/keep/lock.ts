/** One process per state directory: a lock that the operating system takes back when its owner dies, however it dies. */
import { accessSync, closeSync, constants, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process has the directory; this one must not start on it. */
export class StateDirectoryTaken extends Error {
  constructor(directory: string) {
    super(
      `the state directory ${directory} is in use by another gateway process: stop that one, or give this one a --state-dir of its own`,
    );
    this.name = 'StateDirectoryTaken';
  }
}

const busy = 5;
const notDatabase = 26;

function codeOf(error: unknown): number | undefined {
  // The low byte is the primary code, whatever SQLite adds to it.
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) % 256 : undefined;
}

/** SQLite would create it readable for everyone. Only ever created: closing a second handle would end a lock held here. */
function createFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** An open exclusive transaction is a kernel file lock. In memory journal mode nothing is ever written for it. */
function begin(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

export class DirectoryLock {
  readonly #directory: string;
  #held: DatabaseSync | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /**
   * Takes the lock unless it is held here already. Throws `StateDirectoryTaken` when another process has it, and what
   * the file system says when it cannot be locked at all (read-only, gone).
   */
  hold(): void {
    if (this.#held) return;
    const file = join(this.#directory, 'lock');
    createFile(file);
    // SQLite would open a file that it may not write, begin, and lock nothing.
    accessSync(file, constants.W_OK);
    try {
      this.#held = begin(file);
    } catch (error) {
      if (codeOf(error) === busy) throw new StateDirectoryTaken(this.#directory);
      if (codeOf(error) !== notDatabase) throw error;
      // Other bytes came into it. Emptied in place: a new file would be a second lock beside one that is being taken.
      writeFileSync(file, '');
      this.#retake(file);
    }
  }

  release(): void {
    this.#held?.close();
    this.#held = undefined;
  }

  #retake(file: string): void {
    try {
      this.#held = begin(file);
    } catch (error) {
      throw codeOf(error) === busy ? new StateDirectoryTaken(this.#directory) : error;
    }
  }
}
