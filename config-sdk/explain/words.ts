/** A trace for people: one line for each decision, and at its end the line of configuration that made it. */
import type { Order, RequestTrace, Step } from '@headgate/runtime/decide';
import type { Explanation } from './explain.ts';

const wordWidth = 9;
/** Wider texts have their place on a line of its own. */
const textWidth = 66;

function line(word: string, text: string, at?: string): string {
  if (at !== undefined && text.length > textWidth) return `${line(word, text)}\n${line('', '', at)}`;
  return at === undefined
    ? `${word.padEnd(wordWidth)} ${text}`
    : `${word.padEnd(wordWidth)} ${text.padEnd(textWidth)} ${at}`;
}

const stepLines = (steps: readonly Step[]): string[] => steps.map(({ stage, said, at }) => line(stage, said, at));

/** A text under its heading, so that many lines stay one thing. */
const block = (word: string, text: string): string[] => [
  `${word}:`,
  ...text.split('\n').map((each) => (each === '' ? '' : `  ${each}`)),
];

const percent = (chance: number): string => `${Math.round(chance * 1000) / 10} %`;

/** How likely each target is the first one. */
function firstsOf(orders: readonly Order[]): string {
  const firsts = new Map<string, number>();
  for (const {
    chance,
    targets: [first = ''],
  } of orders)
    firsts.set(first, (firsts.get(first) ?? 0) + chance);
  return [...firsts].map(([target, chance]) => `${target} (${percent(chance)})`).join(' or ');
}

function endOf({ refusal, upstream, outcome, orders }: Explanation): string {
  if (refusal) return `refused: ${refusal.status} ${refusal.code}`;
  if (upstream) return `would be sent to ${upstream.name}`;
  const [first, ...others] = outcome.order;
  if (orders && orders.length > 1) return `would be sent to ${firstsOf(orders)}`;
  if (first === undefined) return 'would be answered by the gateway itself';
  return others.length === 0 ? `would be sent to ${first}` : `would be sent to ${first}, then ${others.join(', ')}`;
}

export function explanationInWords(explanation: Explanation): string {
  const { steps, orders, prompt, kept, outcome, near, method, path } = explanation;
  const lines = [`${method} ${path}`, '', ...stepLines(steps)];
  for (const { name, at } of near ?? []) lines.push(line('near', name, at));
  if (kept && outcome.fit && outcome.fit.kept < outcome.fit.messages)
    lines.push(line('kept', `messages ${kept.join(', ')}`));
  if (orders && orders.length > 1 && !explanation.refusal) {
    const drawn = orders.map(({ chance, targets }) => `${percent(chance).padStart(7)}  ${targets.join(', ')}`);
    lines.push('', ...block('every order that may be drawn', drawn.join('\n')));
  }
  for (const { role, text } of prompt) lines.push('', ...block(`the prompt, as ${role}`, text));
  return [...lines, '', endOf(explanation), ''].join('\n');
}

export function pastRequestInWords(request: RequestTrace): string {
  const { id, at, revision, method, path, status, ms, inputTokens, outputTokens, steps } = request;
  const tokens = inputTokens === undefined ? '' : `, ${inputTokens} tokens in and ${outputTokens ?? 0} out`;
  const head = `${method} ${path}, ${id}, ended ${at} under revision ${revision ?? 'none'}`;
  return [head, '', ...stepLines(steps), '', `answered ${status} after ${ms} ms${tokens}`, ''].join('\n');
}
