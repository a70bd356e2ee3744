/** A plan as the comment under a pull request: what matters in the first lines, the rest to unfold, and never too long to post. */
import { counted, joined, risks, say, type Phrase, type Risk } from '../change.ts';
import type { PlannedChange, TitledPlan } from '../plan.ts';
import type { PromptCase } from '../prompts.ts';
import { trafficInWords, type TrafficRow, type TrafficWords } from '../traffic/words.ts';
import { fenced, inCell, inHtml, inMarkdown } from './markdown-text.ts';
import { costInWords, countsInWords, placeInWords, tokensInWords } from './sentences.ts';
import { asLine } from './visible.ts';

/** The first line of every comment: by it, the next run finds the comment that it replaces. */
export const marker = '<!-- headgate-plan -->';

/** GitHub takes comments of up to 65,536 characters, GitLab far more. What remains is for whoever posts it. */
export const longestComment = 65_000;
/** For saying what was left out. */
const reserved = 1_500;
const mostDiffLines = 200;

const signs: Readonly<Record<Risk, string>> = { high: '🔴 high', medium: '🟠 medium', low: '🟡 low', info: '⚪ info' };

function cellsOf({ risk, sentence, details, where }: TrafficRow): string {
  const points = details.map((detail) => `<br>• ${inMarkdown(detail)}`).join('');
  const cells = [`**${signs[risk]}**`, inMarkdown(sentence) + points, inMarkdown(where)];
  return `| ${cells.map(inCell).join(' | ')} |`;
}

const row = (change: PlannedChange): string => cellsOf({ ...change, where: placeInWords(change) });

const heads = '| risk | what changes | where |\n| --- | --- | --- |';

/** Takes texts as long as there is room. */
class Room {
  readonly #pieces: string[] = [];
  #left: number;

  constructor(characters: number) {
    this.#left = characters;
  }

  fits(text: string): boolean {
    return text.length + 1 <= this.#left;
  }

  add(text: string): void {
    this.#pieces.push(text);
    this.#left -= text.length + 1;
  }

  toString(): string {
    return `${this.#pieces.join('\n')}\n`;
  }
}

/** Adds rows while there is room for them and for `after`; gives how many found none. */
function addRows(room: Room, changes: readonly PlannedChange[], after = ''): number {
  for (const [index, change] of changes.entries()) {
    const line = row(change);
    if (!room.fits(`${line}\n${after}`)) return changes.length - index;
    room.add(line);
  }
  return 0;
}

const costLines = (shown: PromptCase): string[] => costInWords(shown).map((line) => `- ${inMarkdown(line)}`);

function promptSection(shown: PromptCase): string {
  const lines = shown.diff.slice(0, mostDiffLines).map(asLine);
  const rest = shown.diff.length - lines.length;
  return [
    `<details><summary>${inHtml(shown.title)}: ${inHtml(tokensInWords(shown))}</summary>`,
    '',
    ...costLines(shown),
    '',
    fenced(lines, 'diff'),
    ...(rest > 0 ? [`… and ${inMarkdown(counted(rest, 'more line'))}`] : []),
    '</details>',
  ].join('\n');
}

const mostTrafficRows = 20;

/** True when there is no room for it. */
function addTraffic(room: Room, { summary, notes, rows, sums }: TrafficWords): boolean {
  const rest = rows.length - mostTrafficRows;
  const text = [
    `\n**Replayed traffic**: ${inMarkdown(summary)}`,
    ...(rows.length === 0 ? [] : ['', '| risk | what becomes of requests | for instance |', '| --- | --- | --- |']),
    ...rows.slice(0, mostTrafficRows).map(cellsOf),
    ...(rest > 0 ? ['', `… and ${inMarkdown(counted(rest, 'more difference'))}`] : []),
    '',
    ...sums.map((sum) => `- ${inMarkdown(sum)}`),
    ...notes.map((note) => `- ${inMarkdown(note)}`),
  ].join('\n');
  if (!room.fits(text)) return true;
  room.add(text);
  return false;
}

function headline({ changes, notes, base, head, gateway }: TitledPlan): string[] {
  const between = say`gateway ${gateway}, from ${base} to ${head}`;
  const top = changes[0];
  const title = top
    ? `### Headgate plan: ${signs[top.risk]}${top.risk === 'info' ? '' : ' risk'}`
    : '### Headgate plan: no change';
  const sums = top
    ? `${inMarkdown(countsInWords(changes))} (${inMarkdown(between)})`
    : `Nothing that is served changes (${inMarkdown(between)}).`;
  return [marker, title, '', ...notes.flatMap((note) => [`> **Note:** ${inMarkdown(note)}`, '']), sums];
}

function closing(hidden: readonly Phrase[]): string {
  if (hidden.length === 0) return '';
  const most = inMarkdown(joined(hidden, '; '));
  return `\n> Left out, since comments are limited in length: ${most}. \`headgate plan\` on a terminal shows everything.`;
}

export function markdown(plan: TitledPlan): string {
  const room = new Room(longestComment - reserved);
  const hidden: Phrase[] = [];
  for (const line of headline(plan)) room.add(line);

  const isMajor = ({ risk }: PlannedChange): boolean => risks.indexOf(risk) <= risks.indexOf('medium');
  const [major, minor] = [plan.changes.filter(isMajor), plan.changes.filter((each) => !isMajor(each))];
  if (major.length > 0) {
    room.add(`\n${heads}`);
    const left = addRows(room, major);
    if (left > 0) hidden.push(counted(left, 'change of high or medium risk', 'changes of high or medium risk'));
  }
  if (plan.traffic && addTraffic(room, trafficInWords(plan.traffic))) hidden.push(['the replay of traffic']);
  if (minor.length > 0) {
    const end = '\n</details>';
    const begin = `\n<details${major.length === 0 ? ' open' : ''}><summary>${inHtml(counted(minor.length, 'smaller change'))}</summary>\n\n${heads}`;
    const left = room.fits(begin + end) ? (room.add(begin), addRows(room, minor, end)) : minor.length;
    if (room.fits(end) && left < minor.length) room.add(end);
    if (left > 0) hidden.push(counted(left, 'smaller change'));
  }
  const untold = plan.prompts.filter((shown, index) => {
    const text = `${index === 0 ? '\n**What prompts become**\n' : ''}\n${promptSection(shown)}`;
    if (!room.fits(text)) return true;
    room.add(text);
    return false;
  });
  if (untold.length > 0) hidden.push(counted(untold.length, 'rendered prompt'));
  const end = closing(hidden);
  if (end !== '') room.add(end);
  return room.toString();
}
