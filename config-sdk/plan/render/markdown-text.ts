/** Markdown whose foreign parts can do nothing: no link, no mention, no HTML, no way out of a table or a fence. */
import type { Phrase } from '../change.ts';
import { inLine } from './visible.ts';

const longestRun = (text: string): number =>
  [...text.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 0);

/** A code span: what stands in it is neither formatted nor linked, and mentions nobody. */
export function code(text: string): string {
  const shown = inLine(text);
  const fence = '`'.repeat(longestRun(shown) + 1);
  // A space keeps a backtick at the edge out of the fence; one that stands there itself would be stripped.
  const pad = /^`|`$|^ | $/.test(shown) || shown === '' ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}

export const inMarkdown = (phrase: Phrase): string =>
  phrase.map((piece) => (typeof piece === 'string' ? piece : code(piece.code))).join('');

/** Tables end a cell at a pipe, even inside code. */
export const inCell = (markdown: string): string => markdown.replaceAll('|', '\\|');

/** HTML around Markdown is not formatted by it: for `<summary>`, where code spans are not reliable. */
const escaped = (text: string): string =>
  text.replaceAll(/[&<>"'@#`*_[\]~\\|]/g, (found) => `&#${found.codePointAt(0) ?? 0};`);

export const inHtml = (phrase: Phrase): string =>
  phrase
    .map((piece) => (typeof piece === 'string' ? escaped(piece) : `<code>${escaped(inLine(piece.code))}</code>`))
    .join('');

/** A fence longer than any inside. */
export function fenced(lines: readonly string[], language: string): string {
  const fence = '`'.repeat(Math.max(3, ...lines.map((line) => longestRun(line) + 1)));
  return `${fence}${language}\n${lines.join('\n')}\n${fence}`;
}
