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

/** `base` stands in each line. */
export function createLog(level: LogLevel, base: object | null = null): Log {
  const output = pino.destination({
    dest: process.stdout.fd,
    sync: false,
    minLength: mostWaitingBytes,
    periodicFlush: longestWaitMs,
  });
  return pino(
    {
      level,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(words, write, urgency) {
          write.apply(this, words);
          if (urgency > usual) output.flush();
        },
      },
    },
    output,
  );
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
