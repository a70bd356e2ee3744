/** A plan for people at a terminal: everything, nothing folded away. */
import { painter, type Style } from '../../report/paint.ts';
import type { Phrase, Risk } from '../change.ts';
import type { TitledPlan } from '../plan.ts';
import { trafficInWords } from '../traffic/words.ts';
import { costInWords, countsInWords, placeInWords, tokensInWords } from './sentences.ts';
import { asLine, inLine } from './visible.ts';

const colours: Readonly<Record<Risk, Style>> = { high: ['red', 'bold'], medium: 'yellow', low: 'cyan', info: 'dim' };
const width = 8;

export function pretty(plan: TitledPlan, terminal: boolean): string {
  const paint = painter(terminal);
  const words = (phrase: Phrase): string =>
    phrase.map((piece) => (typeof piece === 'string' ? piece : paint('bold', `'${inLine(piece.code)}'`))).join('');
  const plain = (phrase: Phrase): string =>
    phrase.map((piece) => (typeof piece === 'string' ? piece : inLine(piece.code))).join('');
  const indent = ' '.repeat(width);
  const { changes, traffic } = plan;

  const lines = [
    `from ${words(plan.base)} to ${words(plan.head)}: ${changes.length === 0 ? 'nothing that is served changes' : words(countsInWords(changes))}`,
  ];
  lines.push(...plan.notes.map((note) => `${paint('yellow', 'note'.padEnd(width))}${words(note)}`));
  for (const change of changes) {
    const place = plain(placeInWords(change));
    const risk = paint(colours[change.risk], change.risk.padEnd(width));
    lines.push('', `${risk}${words(change.sentence)}${place && `  ${paint('dim', place)}`}`);
    lines.push(...change.details.map((detail) => `${indent}${words(detail)}`));
  }
  if (traffic) {
    const { summary, notes, rows, sums } = trafficInWords(traffic);
    lines.push('', `replayed: ${words(summary)}`);
    lines.push(...notes.map((note) => `${paint('yellow', 'note'.padEnd(width))}${words(note)}`));
    for (const { risk, sentence, details, where } of rows) {
      lines.push(`${paint(colours[risk], risk.padEnd(width))}${words(sentence)}  ${paint('dim', plain(where))}`);
      lines.push(...details.map((detail) => `${indent}${words(detail)}`));
    }
    lines.push(...sums.map((sum) => `${indent}${words(sum)}`));
  }
  for (const shown of plan.prompts) {
    lines.push('', `${words(shown.title)}: ${words(tokensInWords(shown))}`);
    lines.push(...costInWords(shown).map((line) => `${indent}${words(line)}`));
    const colourOf = (line: string): Style | undefined =>
      line.startsWith('+') ? 'green' : line.startsWith('-') ? 'red' : line.startsWith('@@') ? 'cyan' : undefined;
    for (const line of shown.diff) {
      const style = colourOf(line);
      lines.push(style ? paint(style, asLine(line)) : asLine(line));
    }
  }
  return `${lines.join('\n')}\n`;
}
