/** The process's log: one JSON line per event on standard output. Secrets are kept out by never being handed to it. */
import { pino } from 'pino';

export type Log = pino.Logger;
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
export const logLevels: readonly LogLevel[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** A line of `info` may wait so long, so that many are written at once. What is worse is written right away, and all of it at the end. */
const longestWaitMs = 50;
/** Of `info`, as pino counts levels. */
const usual = 30;
const mostWaitingBytes = 8 * 1024;

/** What a log is written to, and what stands in each of its lines, as JSON with a comma before it. */
interface Beneath {
  readonly lines: Lines;
  readonly base: string;
}

const beneath = new WeakMap<Log, Beneath>();

/** Lines that wait for each other on this side of the output, which would measure all that waits anew with each of them. */
class Lines {
  readonly #output: ReturnType<typeof pino.destination>;
  #waiting = '';
  #timer: NodeJS.Timeout | undefined;
  #isAwaitingExit = false;

  constructor(output: ReturnType<typeof pino.destination>) {
    this.#output = output;
  }

  add(line: string): void {
    // Before the output's own way out, which writes what it has.
    if (!this.#isAwaitingExit) process.prependListener('exit', () => this.hand());
    this.#isAwaitingExit = true;
    this.#waiting += line;
    if (this.#waiting.length >= mostWaitingBytes) this.hand();
    else
      this.#timer ??= setTimeout(() => {
        this.hand();
        this.#output.flush();
      }, longestWaitMs).unref();
  }

  /** To the output, before anything else is written there. */
  hand(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting !== '') this.#output.write(this.#waiting);
    this.#waiting = '';
  }
}

/** `base` stands in each line. */
export function createLog(level: LogLevel, base: object | null = null): Log {
  const output = pino.destination({
    dest: process.stdout.fd,
    sync: false,
    minLength: mostWaitingBytes,
    periodicFlush: longestWaitMs,
  });
  const lines = new Lines(output);
  const log = pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(words, write, urgency) {
          lines.hand();
          write.apply(this, words);
          if (urgency > usual) output.flush();
        },
      },
    },
    output,
  );
  beneath.set(log, { lines, base: base === null ? '' : `,${JSON.stringify(base).slice(1, -1)}` });
  return log;
}

/** Takes what is told of one request: texts, numbers and lists. What is undefined is left out. */
export type AccessLog = (fields: object) => void;

/** The line that each request leaves in `log`: written out at once, because the way of all others costs several times as much. */
export function accessLogOf(log: Log): AccessLog {
  const known = beneath.get(log);
  if (!log.isLevelEnabled('info')) return () => undefined;
  if (!known) return (fields) => log.info(fields, 'request');
  const { lines, base } = known;
  return (fields) => {
    const time = new Date().toISOString();
    lines.add(`{"level":"info","time":"${time}"${base},${JSON.stringify(fields).slice(1, -1)},"msg":"request"}\n`);
  };
}

/** Errors as class, code and message, causes included. Other properties are left out: libraries hang requests on them. */
export function causeInWords(error: unknown, depth = 0): object | undefined {
  if (error === undefined) return undefined;
  if (!(error instanceof Error)) return { message: typeof error === 'string' ? error : 'something that is no error' };
  const { code } = error as NodeJS.ErrnoException;
  const cause = depth < 3 ? causeInWords(error.cause, depth + 1) : undefined;
  return { type: error.name, message: error.message, ...(code ? { code } : {}), ...(cause ? { cause } : {}) };
}

/** The same with the place it was thrown: for faults of our own, where a person must read code. */
export function faultInWords(error: unknown): object | undefined {
  return { ...causeInWords(error), ...(error instanceof Error ? { stack: error.stack } : {}) };
}
