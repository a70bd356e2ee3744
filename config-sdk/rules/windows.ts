/** What fits into the windows of a model's targets: fixed prompts, reserved output, and targets of unlike size. */
import {
  schemaOf,
  estimateTokens,
  strategyKinds,
  type ModelSnapshot,
  type PromptSnapshot,
  type ProviderSnapshot,
} from '@headgate/runtime/snapshot';
import { isObject } from '../compile/places.ts';
import { eachServed, problemAt, type Beside, type Problem } from './rule.ts';
import { legsOf } from './targets.ts';

interface Leg {
  readonly name: string;
  readonly window: number;
  readonly maxOutputTokens: number | undefined;
}

interface Fitted {
  readonly legs: readonly Leg[];
  /** Options of its context policy, with defaults; and what it lets through under a window. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly budget: ((window: number) => number) | undefined;
}

function fittedModel({ targets, context = '' }: ModelSnapshot, { named }: Beside): Fitted {
  const legs = legsOf(targets, []).flatMap(({ node }): Leg[] => {
    const facts = (named('provider', node.provider)?.value as ProviderSnapshot | undefined)?.models[node.model];
    const name = `${node.provider}/${node.model}`;
    return facts ? [{ name, window: facts.contextWindow, maxOutputTokens: facts.maxOutputTokens }] : [];
  });
  const policy = named('context-policy', context)?.value as { kind: string; options: unknown } | undefined;
  const strategy = strategyKinds[policy?.kind ?? ''];
  const options: unknown = (strategy && schemaOf(strategy.options))?.parse(policy?.options);
  const budget = strategy && ((window: number) => strategy.budget(options, window));
  return { legs, options: isObject(options) ? options : {}, budget };
}

const smallest = (legs: readonly Leg[]): Leg | undefined =>
  legs.reduce<Leg | undefined>((least, leg) => (least && least.window <= leg.window ? least : leg), undefined);
const largest = (legs: readonly Leg[]): number => Math.max(...legs.map(({ window }) => window));

/** Counts are estimates: an error must hold for every tokenizer. */
const certainty = 1.25;

/** Variables count for nothing here: they may be given one letter. */
const fixedText = ({ system = '', user = '' }: PromptSnapshot): string =>
  `${system}\n${user}`.replaceAll(/\{\{[\s\S]*?\}\}/g, '');

export const longPrompts = eachServed<ModelSnapshot>('model', ({ object, value }, beside): Problem[] => {
  const prompt = beside.named('prompt', value.prompt?.name ?? '')?.value as PromptSnapshot | undefined;
  const text = prompt ? fixedText(prompt) : '';
  const { legs, budget } = fittedModel(value, beside);
  const leg = smallest(legs);
  const room = leg && Math.max(0, budget?.(leg.window) ?? leg.window);
  // A token is at least one character, so that most prompts need no count.
  if (!leg || room === undefined || room === 0 || text.length <= room) return [];
  const needed = estimateTokens(text);
  if (needed <= room * certainty) return [];
  const message = `model '${object.id}': prompt '${value.prompt?.name}' has about ${needed} tokens, and ${leg.name} takes ${room} of input`;
  return problemAt(beside, { object, path: ['prompt', 'name'] }, { code: 'prompt_too_long', message });
});

export const wastedReserves = eachServed<ModelSnapshot>('model', ({ object, value }, beside): Problem[] => {
  const { legs, options } = fittedModel(value, beside);
  const reserve = options['reserveOutput'];
  const caps = legs.flatMap(({ maxOutputTokens }) => maxOutputTokens ?? []);
  if (typeof reserve !== 'number' || legs.length === 0 || caps.length < legs.length || reserve <= Math.max(...caps))
    return [];
  const message = `model '${object.id}': context policy '${value.context}' reserves ${reserve} tokens, and its targets answer with at most ${Math.max(...caps)}`;
  return problemAt(beside, { object, path: ['context'] }, { code: 'reserve_wasted', message });
});

export const wastedWindows = eachServed<ModelSnapshot>('model', ({ object, value }, beside): Problem[] => {
  const { legs, budget } = fittedModel(value, beside);
  const least = smallest(legs);
  if (!budget || !least) return [];
  const [room, most] = [budget(least.window), budget(largest(legs))];
  // No room at all is another finding.
  if (room <= 0 || room * 4 >= most) return [];
  const message = `model '${object.id}': context policy '${value.context}' keeps ${room} tokens because of ${least.name}; without it ${most}`;
  return problemAt(beside, { object, path: ['context'] }, { code: 'window_wasted', message });
});
