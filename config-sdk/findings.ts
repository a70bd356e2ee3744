/** What `check` reports: one shape for every problem, and the table of all problems that this package knows. */
import { accessFindings } from './findings/access.ts';
import type { FindingEntry, Severity } from './findings/entry.ts';
import { objectFindings } from './findings/objects.ts';
import { promptFindings } from './findings/prompts.ts';
import { repositoryFindings } from './findings/repository.ts';
import { routeFindings } from './findings/routes.ts';
import { secretFindings } from './findings/secrets.ts';
import { targetFindings } from './findings/targets.ts';

export type { Severity };

/** A place in a file of the repository. Lines and columns count from 1; the file is relative, with forward slashes. */
export interface FilePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Finding extends FilePosition {
  /** `note`: the configuration accepts it, and `accepted` says why. */
  readonly severity: Severity;
  /** A key of `findingTable`, or a code of the TypeScript compiler such as `TS2322`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly accepted?: string;
}

/** By area, in the order of the reference page. */
export const findingAreas = {
  'The repository': repositoryFindings,
  'Secrets and keys in the clear': secretFindings,
  'Any object': objectFindings,
  'Providers, models and targets': targetFindings,
  Prompts: promptFindings,
  'Consumers, quotas and policies': accessFindings,
  'Routes and upstreams': routeFindings,
} as const;

export const findingTable = {
  ...repositoryFindings,
  ...secretFindings,
  ...objectFindings,
  ...targetFindings,
  ...promptFindings,
  ...accessFindings,
  ...routeFindings,
} as const satisfies Readonly<Record<string, FindingEntry>>;

export type FindingCode = keyof typeof findingTable;

/** Codes that `accept` in defineGateway may lower to a note. */
export type AcceptableCode = {
  [Code in FindingCode]: (typeof findingTable)[Code]['acceptable'] extends true ? Code : never;
}[FindingCode];

/** What the table says of a code; undefined for those of the TypeScript compiler. */
export const entryOf = (code: string): FindingEntry | undefined =>
  Object.hasOwn(findingTable, code) ? findingTable[code as FindingCode] : undefined;

/** One finding by the table. */
export function finding(
  code: FindingCode,
  position: FilePosition,
  message: string,
  hint: string = findingTable[code].hint,
): Finding {
  const { file, line, column } = position;
  return { file, line, column, severity: findingTable[code].severity, code, message, hint };
}

/** The same finding as a note, with the reason for which the configuration accepts it in place of a hint. */
export function lowered({ hint: _, ...rest }: Finding, accepted: string): Finding {
  return { ...rest, severity: 'note', accepted };
}

/** What follows the message: the cure, or the reason for which there is none. */
export const furtherWords = ({ hint, accepted }: Finding): string | undefined =>
  accepted === undefined ? hint : `accepted: ${accepted}`;

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Sorted by place, without repetitions. */
export function inOrder(findings: readonly Finding[]): Finding[] {
  const different = new Map(
    findings.map((each) => [JSON.stringify([each.file, each.line, each.column, each.code, each.message]), each]),
  );
  return [...different.values()].sort(
    (a, b) =>
      byText(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      byText(a.code, b.code) ||
      byText(a.message, b.message),
  );
}

export const countOf = (findings: readonly Finding[], severity: Severity): number =>
  findings.filter((each) => each.severity === severity).length;

export const hasErrors = (findings: readonly Finding[]): boolean => countOf(findings, 'error') > 0;

/** The machine, the installation or a remote is at fault, not the configuration: exit code 3. */
export class EnvironmentFault extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'EnvironmentFault';
  }
}
