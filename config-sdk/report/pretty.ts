/** Findings for people: one line each, and on a terminal the line of code with a mark under the place. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { furtherWords, type Finding } from '../findings.ts';
import { painter, type Paint, type Style } from './paint.ts';
import type { ReportContext } from './report.ts';

/** Long lines are shown around the place only. */
const widest = 110;

function frame({ line, column }: Finding, source: string, paint: Paint): string {
  const from = Math.max(0, column - 1 - Math.floor(widest / 2));
  const shown = source.slice(from, from + widest).replaceAll('\t', ' ');
  const gutter = String(line);
  const mark = `${' '.repeat(column - 1 - from)}^`;
  return `${paint('dim', `  ${gutter} |`)} ${shown}\n${paint('dim', `  ${' '.repeat(gutter.length)} |`)} ${paint('red', mark)}\n`;
}

const paints: Readonly<Record<Finding['severity'], Style>> = { error: 'red', warning: 'yellow', note: 'cyan' };

/** Codes whose line holds what must not be shown. */
const unshown = new Set(['secret_literal', 'secret_suspected', 'plaintext_key']);

export function pretty(findings: readonly Finding[], { directory, terminal, redact }: ReportContext): string {
  const paint = painter(terminal);
  const lines = new Map<string, readonly string[]>();
  const sourceLine = ({ file, line }: Finding): string => {
    const path = join(directory, file);
    const known = lines.get(file) ?? (existsSync(path) ? readFileSync(path, 'utf8').split(/\r?\n/) : []);
    lines.set(file, known);
    return known[line - 1] ?? '';
  };
  return findings
    .map((each) => {
      const { file, line, column, severity, code, message } = each;
      const more = furtherWords(each);
      const head = `${paint('bold', `${file}:${line}:${column}`)} ${paint(paints[severity], severity)} ${paint('dim', code)}`;
      const text = `${head} ${message}${more ? paint('dim', `; ${more}`) : ''}\n`;
      const source = terminal && !unshown.has(code) ? sourceLine(each) : '';
      // A credential may stand on the line of another finding too; then the columns would not match any more.
      return source && redact(source) === source ? text + frame(each, source, paint) : text;
    })
    .join('');
}
