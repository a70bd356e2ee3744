/** The process's log: one JSON line per event on standard output. Secrets are kept out by never being handed to it. */
import { pino } from 'pino';

export type Log = pino.Logger;
export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
export const logLevels: readonly LogLevel[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

export function createLog(level: LogLevel): Log {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: causeInWords },
  });
}

/** Errors as class, code and message, causes included. Other properties are left out: libraries hang requests on them. */
export function causeInWords(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error))
    return error === undefined
      ? undefined
      : { message: typeof error === 'string' ? error : 'something was thrown that is no error' };
  const { code } = error as NodeJS.ErrnoException;
  const cause = error.cause === undefined || depth >= 3 ? undefined : causeInWords(error.cause, depth + 1);
  return {
    type: error.name,
    message: error.message,
    ...(code ? { code } : {}),
    ...(depth === 0 ? { stack: error.stack } : {}),
    ...(cause ? { cause } : {}),
  };
}
