/** The forms in which findings are shown. Each is a pure function to text. */
import { isAbsolute, join, relative, sep } from 'node:path';
import { surroundings } from '../cli/environment.ts';
import type { CheckResult } from '../check.ts';
import { countOf, type Finding } from '../findings.ts';
import { repository } from '../own-packages.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { json } from './json.ts';
import { pretty } from './pretty.ts';
import { sarif } from './sarif.ts';

export const formats = ['pretty', 'json', 'github', 'gitlab', 'sarif'] as const;
export type Format = (typeof formats)[number];

export interface ReportContext {
  /** The directory that was checked. */
  readonly directory: string;
  /** Frames and colours, for people at a terminal. */
  readonly terminal: boolean;
  readonly redact: CheckResult['redact'];
}

export function report(findings: readonly Finding[], format: Format, context: ReportContext): string {
  switch (format) {
    case 'json':
      return json(findings);
    case 'github':
      return github(findings, pathInWorkspace(context.directory));
    case 'gitlab':
      return gitlab(findings, pathInWorkspace(context.directory));
    case 'sarif':
      return sarif(findings, { prefix: pathInWorkspace(context.directory), repository });
    default:
      return pretty(findings, context);
  }
}

/** Hosts name files from the top of the checkout, which may lie above the directory that was checked. */
function pathInWorkspace(directory: string): string {
  const { workspace } = surroundings();
  const path = workspace ? relative(workspace, directory) : '';
  return path.startsWith('..') || isAbsolute(path)
    ? ''
    : join(path, sep)
        .split(sep)
        .join('/')
        .replace(/^\.?\/$/, '');
}

/** What is asked for, or what the surroundings call for. */
export function chooseFormat(asked: { format?: Format | undefined; json?: boolean | undefined }): Format {
  return asked.format ?? (asked.json ? 'json' : surroundings().githubActions ? 'github' : 'pretty');
}

export function summary(findings: readonly Finding[]): string {
  const accepted = countOf(findings, 'note');
  const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
  return findings.length === 0
    ? 'no problems'
    : `${counted(countOf(findings, 'error'), 'error')}, ${counted(countOf(findings, 'warning'), 'warning')}${accepted > 0 ? `, ${accepted} accepted` : ''}`;
}
