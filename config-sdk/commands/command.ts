/** What commands share: a place in the table, exit codes, and how findings reach the reader. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { surroundings } from '../cli/environment.ts';
import type { CheckResult } from '../check.ts';
import { hasErrors } from '../findings.ts';
import { chooseFormat, formats, report, summary, type Format } from '../report/report.ts';

export const exitCodes = { fine: 0, input: 1, usage: 2, environment: 3 } as const;

/** Adds itself to the program. An action sets `process.exitCode`; what it throws becomes exit code 3. */
export type CommandEntry = (program: Command) => void;

export const formatOption = (): Option =>
  new Option('--format <format>', 'how findings are shown (default: pretty, or github under GitHub Actions)').choices(
    formats,
  );
/** For options of which one would be dropped without a word. */
export function once(value: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError(`It is given twice: '${before}' and '${value}'.`);
  return value;
}

export const jsonOption = (): Option => new Option('--json', 'the same as --format json').conflicts('format');

export interface FormatOptions {
  readonly format?: Format;
  readonly json?: boolean;
}

/** Whether standard output is somebody's terminal, or colours are wanted all the same. */
export const mayColour = (): boolean => process.stdout.isTTY === true || surroundings().forceColor;

/** Shows findings: on standard output when they are the command's answer, on standard error when they accompany another. */
export function show(
  result: Pick<CheckResult, 'findings' | 'redact'>,
  directory: string,
  options: FormatOptions & { aside?: boolean },
): void {
  const { findings, redact } = result;
  const format = chooseFormat(options);
  const stream = options.aside ? process.stderr : process.stdout;
  stream.write(
    report(findings, format, {
      directory,
      terminal: mayColour(),
      redact,
    }),
  );
  if (format === 'pretty') process.stderr.write(`${summary(findings)}\n`);
}

export const verdict = (findings: CheckResult['findings']): number =>
  hasErrors(findings) ? exitCodes.input : exitCodes.fine;
