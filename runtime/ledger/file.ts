/** The ledger's file as one thread has it open: opened when it is needed, and again after whatever went wrong. */
import type { DatabaseSync } from 'node:sqlite';
import { isDamage, reason, setAside } from '../sqlite/open-file.ts';
import { callsFrom, type CallPage, type CallsQuestion } from './calls.ts';
import { comparisonFrom, type Comparison, type ComparisonQuestion } from './comparison.ts';
import type { Keeping } from './forgetting.ts';
import { ledgerFile, openLedgerFile } from './tables.ts';
import { usageFrom, type Usage, type UsageQuestion } from './usage.ts';
import { LedgerWriting, type Batch } from './writing.ts';

export interface LedgerFileOptions {
  readonly directory: string;
  readonly keep: Keeping;
  /** Told what a person should know. */
  readonly note: (text: string) => void;
  /** Milliseconds since the Unix epoch, by a clock that does not jump ahead: it must not make everything old. */
  readonly now: () => number;
}

interface Open {
  readonly database: DatabaseSync;
  readonly writing: LedgerWriting;
}

export class LedgerFile {
  readonly #options: LedgerFileOptions;
  #open: Open | undefined;

  constructor(options: LedgerFileOptions) {
    this.#options = options;
  }

  /** `place` is how far something else was read, kept in the same transaction. Returns how many records were new. */
  write(batches: readonly Batch[], place?: { readonly name: string; readonly value: string }): number {
    return this.#do(({ database, writing }) => {
      const added = writing.write(batches, () => {
        if (!place) return;
        const put = database.prepare(
          'INSERT INTO place (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        );
        put.run(place.name, place.value);
      });
      writing.sweep();
      return added;
    });
  }

  place(name: string): string | undefined {
    return this.#do(({ database }) => {
      const found = database.prepare('SELECT value FROM place WHERE name = ?').get(name)?.['value'];
      return typeof found === 'string' ? found : undefined;
    });
  }

  usage(question: UsageQuestion): Usage {
    return this.#do(({ database }) => usageFrom(database, question, this.#options.keep.callsMs));
  }

  calls(question: CallsQuestion): CallPage {
    return this.#do(({ database }) => callsFrom(database, question));
  }

  compare(question: ComparisonQuestion): Comparison {
    return this.#do(({ database }) => comparisonFrom(database, question));
  }

  close(): void {
    this.#open?.database.close();
    this.#open = undefined;
  }

  #do<Result>(work: (open: Open) => Result): Result {
    const { directory, note } = this.#options;
    const file = ledgerFile(directory);
    try {
      this.#open ??= this.#opened();
      return work(this.#open);
    } catch (error) {
      this.close();
      // Parts of a file that are not read when it is opened.
      if (isDamage(error))
        note(`${file} is damaged (${reason(error)}); it is kept as ${setAside(file)}, and a new one begins`);
      throw new Error(`the ledger ${file} failed: ${reason(error)}`, { cause: error });
    }
  }

  #opened(): Open {
    const { directory, keep, note, now } = this.#options;
    const database = openLedgerFile(directory, (aside, problem) =>
      note(`${ledgerFile(directory)} is damaged (${problem}); it is kept as ${aside}, and a new one begins`),
    );
    return { database, writing: new LedgerWriting(database, keep, now) };
  }
}
