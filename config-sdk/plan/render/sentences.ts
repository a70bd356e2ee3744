/** Sentences that every form of a plan has, whatever it is shown on. */
import { counted, joined, risks, say, type Phrase } from '../change.ts';
import type { PlannedChange } from '../plan.ts';
import type { PromptCase } from '../prompts.ts';

/** Such as: 2 high, 1 low. */
export function countsInWords(changes: readonly PlannedChange[]): Phrase {
  const parts = risks.flatMap((risk) => {
    const count = changes.filter((change) => change.risk === risk).length;
    return count === 0 ? [] : [say`${count} ${[risk]}`];
  });
  return say`${counted(changes.length, 'change')}: ${joined(parts, ', ')}`;
}

/** File and line; the column is of no use to a reader. */
export function placeInWords({ place }: PlannedChange): Phrase {
  if (!place) return [];
  const [file = '', line = ''] = /^(.*?:\d+)(?::\d+)?$/.exec(place.text)?.slice(1) ?? [place.text];
  return say`${`${file}${line}`}${place.side === 'base' ? [' (before)'] : []}`;
}

export function tokensInWords({ tokens: { before, after } }: PromptCase): Phrase {
  const more = after - before;
  if (before === 0) return say`${after} tokens, all new`;
  if (after === 0) return say`${before} tokens less`;
  return more === 0
    ? say`${after} tokens, as before`
    : say`${before} → ${after} tokens (${[more > 0 ? '+' : '−']}${Math.abs(more)})`;
}

const mostCosts = 5;

/** One line for each model that begins with the prompt. */
export function costInWords({ costs, tokens }: PromptCase): Phrase[] {
  const usd = (cost: string | undefined, count: number): string => cost ?? (count === 0 ? '$0.00' : 'no price known');
  if (costs.every(({ before, after }) => before === undefined && after === undefined))
    return costs.length === 0 ? [] : [say`cost: no price is known for the targets that get it`];
  const lines = costs.slice(0, mostCosts).map(({ model, target, before, after }) => {
    if (before === undefined && after === undefined) return say`model ${model} at ${target}: no price known`;
    const words = `${usd(before, tokens.before)} → ${usd(after, tokens.after)}`;
    return say`model ${model} at ${target}: ${[words]} for the prompt of 1,000 requests`;
  });
  const rest = costs.length - lines.length;
  return rest > 0 ? [...lines, say`and ${counted(rest, 'more model')}`] : lines;
}
