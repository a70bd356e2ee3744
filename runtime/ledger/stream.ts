/** The ledger of a fleet on its way: each replica puts its records into one Redis stream, and whoever has a directory takes all of them over. */
import { connectRedis, type RedisConnection } from '../redis/connection.ts';
import { reason } from '../sqlite/open-file.ts';
import type { LedgerFile } from './file.ts';
import type { CallRecord } from './record.ts';
import type { Lines } from './thread.ts';
import type { Batch } from './writing.ts';

const key = 'headgate:ledger';
/** Redis keeps about so many records, some 150 MB, for who takes them over. Older ones are lost if nobody has. */
export const mostInStream = 200_000;
const timeoutMs = 2_000;
const drainEveryMs = 500;
const mostAtOnce = 500;
/** Before the first of all. */
const beginning = '0-0';

type Entry = readonly [id: string, fields: readonly string[]];

export interface LedgerStreamOptions {
  readonly url: string;
  /** Where what stands in the stream is taken over. */
  readonly file: LedgerFile | undefined;
  readonly note: (text: string) => void;
}

/** Ids are two numbers, the first of them milliseconds. */
function isLater(one: string, other: string): boolean {
  const [[a = 0n, b = 0n], [c = 0n, d = 0n]] = [one.split('-').map(BigInt), other.split('-').map(BigInt)];
  return a === c ? b > d : a > c;
}

function batchOf([, fields]: Entry): Batch {
  const [, writer = '', , number = '', , call = ''] = fields;
  return { writer, first: Number(number), records: [JSON.parse(call) as CallRecord] };
}

export class LedgerStream {
  readonly #connection: RedisConnection;
  readonly #file: LedgerFile | undefined;
  readonly #note: (text: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #draining: Promise<void> = Promise.resolve();
  #isClosed = false;
  #isFailing = false;
  /** The last gap that was told of. */
  #toldOf = '';

  constructor({ url, file, note }: LedgerStreamOptions) {
    this.#connection = connectRedis(url, timeoutMs);
    this.#file = file;
    this.#note = note;
    if (file) this.#schedule(0);
  }

  /** Records that were put there twice are taken over once. */
  async write({ writer, first, records }: Lines): Promise<number> {
    const { client } = this.#connection;
    const add = (record: string, index: number) =>
      client.xadd(key, 'MAXLEN', '~', mostInStream, '*', 'writer', writer, 'number', first + index, 'call', record);
    await this.#connection.ask(() => Promise.all(records.map(add)));
    return records.length;
  }

  /** Takes over what is there: also what this process has just written. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#draining;
    if (this.#file) await this.#drain(this.#file).catch(() => undefined);
    await this.#connection.close();
  }

  #schedule(ms: number): void {
    const file = this.#file;
    if (this.#isClosed || !file) return;
    this.#timer = setTimeout(() => {
      this.#draining = this.#drain(file)
        .then(() => this.#is(undefined))
        .catch((error: unknown) => this.#is(error))
        .then(() => this.#schedule(drainEveryMs));
    }, ms);
  }

  /** Once for each outage: it is tried twice a second. */
  #is(error: unknown): void {
    if (error !== undefined && !this.#isFailing)
      this.#note(`the stream of the ledger is not taken over: ${reason(error)}`);
    this.#isFailing = error !== undefined;
  }

  async #drain(file: LedgerFile): Promise<void> {
    const { client } = this.#connection;
    await this.#lookForGap(file);
    for (;;) {
      const place = file.place(key) ?? beginning;
      const found = (await this.#connection.ask(() =>
        client.xrange(key, `(${place}`, '+', 'COUNT', mostAtOnce),
      )) as readonly Entry[];
      const last = found.at(-1);
      if (!last) return;
      file.write(
        found.flatMap((entry) => this.#read(entry)),
        { name: key, value: last[0] },
      );
      if (found.length < mostAtOnce) return;
    }
  }

  #read(entry: Entry): readonly Batch[] {
    try {
      return [batchOf(entry)];
    } catch {
      this.#note(`entry ${entry[0]} of the stream ${key} is no record and was passed over`);
      return [];
    }
  }

  /** What Redis cut off before it was taken over. */
  async #lookForGap(file: LedgerFile): Promise<void> {
    const { client } = this.#connection;
    const place = file.place(key);
    if (place === undefined) return;
    const told = (await this.#connection.ask(() => client.xinfo('STREAM', key).catch(() => []))) as readonly unknown[];
    const at = told.indexOf('max-deleted-entry-id');
    const gone = at < 0 ? undefined : told[at + 1];
    if (typeof gone !== 'string' || gone === this.#toldOf || !isLater(gone, place)) return;
    this.#toldOf = gone;
    this.#note(`records between ${place} and ${gone} of the stream ${key} were lost: nobody took them over in time`);
  }
}
