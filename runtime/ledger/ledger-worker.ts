/** The thread that keeps the ledger: no disk and no query ever holds up a request. */
import { parentPort, workerData } from 'node:worker_threads';
import { reportWithoutEnvironment } from '../diagnostic-report.ts';
import { stepBack } from '../sync/step-back.ts';
import { LedgerFile } from './file.ts';
import type { CallRecord } from './record.ts';
import { LedgerStream } from './stream.ts';
import { steadyMs, type Asked, type Job, type Lines, type Seat, type Told } from './thread.ts';

const port = parentPort;
if (port === null) throw new Error('ledger-worker is started by LedgerThread, not on its own.');

stepBack();
reportWithoutEnvironment();

const tell = (told: Told) => port.postMessage(told);
const note = (text: string) => tell({ note: text });

const { desk, beganAt } = workerData as Seat;
const { directory, keep } = desk;
const now = () => Math.floor(Math.min(Date.now(), beganAt + steadyMs()));
const file = directory === undefined ? undefined : new LedgerFile({ directory, keep, note, now });
const stream = desk.kind === 'stream' ? new LedgerStream({ url: desk.url, file, note }) : undefined;

const read = (records: Lines['records']) => records.map((record) => JSON.parse(record) as CallRecord);

async function carryOut(job: Job) {
  switch (job.do) {
    case 'write': {
      const { writer, first, records } = job.lines;
      return stream ? stream.write(job.lines) : file?.write([{ writer, first, records: read(records) }]);
    }
    case 'usage':
      return file?.usage(job.question);
    case 'calls':
      return file?.calls(job.question);
    case 'compare':
      return file?.compare(job.question);
    case 'close':
      await stream?.close();
      file?.close();
      return undefined;
  }
}

// One after the other: a batch that is written again must not overtake itself.
let turn: Promise<void> = Promise.resolve();
port.on('message', ({ id, job }: Asked) => {
  turn = turn.then(async () => {
    try {
      tell({ id, answer: await carryOut(job) });
    } catch (error) {
      tell({ id, problem: error instanceof Error ? error.message : String(error) });
    }
  });
});
