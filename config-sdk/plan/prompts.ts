/** Prompts: which change, for whom, and what they become on their own fixtures. */
import { canonicalJson } from '@headgate/runtime/canonical-json';
import type { ModelSnapshot, PromptSnapshot } from '@headgate/runtime/snapshot';
import { byText, joined, listed, say, type Change, type Phrase } from './change.ts';
import { costOfThousand, priceOf } from './cost.ts';
import { mainLeg } from './legs.ts';
import { optionChanges, optionInWords } from './option-changes.ts';
import { newlyRefused, placeInWords, refusedWords, type BoundValue } from './prompt-needs.ts';
import { nothing, render, renderBound, type Rendered } from './rendering.ts';
import { entryOf, listChange, namesOf, paired, referrers, type Pair, type Sides } from './revision.ts';
import { textDiff } from './text-diff.ts';

/** What the prompt costs for a thousand requests at the target that gets most of them; undefined: no price is known. */
export interface PromptCost {
  readonly model: string;
  readonly target: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** One rendering before and after. */
export interface PromptCase {
  /** The prompt, or the model that binds one. */
  readonly object: string;
  readonly title: Phrase;
  readonly tokens: { readonly before: number; readonly after: number };
  readonly costs: readonly PromptCost[];
  readonly diff: readonly string[];
}

export interface PromptPlan {
  readonly changes: readonly Change[];
  readonly cases: readonly PromptCase[];
}

function costsFor({ base, head }: Sides, models: readonly string[], tokens: PromptCase['tokens']): PromptCost[] {
  return models.flatMap((model): PromptCost[] => {
    const [old, now] = [base, head].map((snapshot) => {
      const targets = entryOf(snapshot.models, model)?.targets;
      const leg = targets && mainLeg(targets, snapshot);
      return leg && { label: leg.label, price: priceOf(snapshot, leg, 'input') };
    });
    if (!now) return [];
    return [
      {
        model,
        target: now.label,
        before: old?.price === undefined ? undefined : costOfThousand(tokens.before, old.price),
        after: now.price === undefined ? undefined : costOfThousand(tokens.after, now.price),
      },
    ];
  });
}

interface Case {
  readonly object: string;
  readonly title: Phrase;
  readonly models: readonly string[];
}

function caseOf(sides: Sides, { object, title, models }: Case, before: Rendered, after: Rendered): PromptCase {
  const tokens = { before: before.tokens, after: after.tokens };
  return {
    object,
    title,
    tokens,
    costs: costsFor(sides, models, tokens),
    diff: textDiff(before.text, after.text),
  };
}

/** A prompt on the fixtures of the head; where the base has a fixture of that name, with the values it had there. */
function fixtureCases(
  sides: Sides,
  { name, before, after }: { name: string; before: PromptSnapshot | undefined; after: PromptSnapshot },
  models: readonly string[],
): PromptCase[] {
  const object = `prompts.${name}`;
  const fixtures = Object.entries(after.fixtures ?? {}).toSorted(([a], [b]) => byText(a, b));
  const old = new Map(Object.entries(before?.fixtures ?? {}));
  if (fixtures.length === 0) {
    const title = say`prompt ${name} (it has no fixtures: variables stand as they are)`;
    return [caseOf(sides, { object, title, models }, before ? render(before, {}) : nothing, render(after, {}))];
  }
  return fixtures
    .map(([fixture, values]) => {
      const known = old.get(fixture);
      const moved = known !== undefined && canonicalJson(known) !== canonicalJson(values);
      const title = say`prompt ${name} on fixture ${fixture}${moved ? say` (whose own values changed too)` : []}`;
      const earlier = before ? render(before, known ?? values) : nothing;
      return caseOf(sides, { object, title, models }, earlier, render(after, values));
    })
    .filter(({ diff }) => diff.length > 0);
}

function growthInWords({ tokens: { before, after } }: PromptCase): Phrase {
  const share =
    before === 0 ? '' : ` (${after >= before ? '+' : '−'}${Math.round((Math.abs(after - before) / before) * 100)}%)`;
  return say`${before} → ${after} tokens${[share]}`;
}

const steepest = (cases: readonly PromptCase[]): PromptCase | undefined =>
  cases.reduce<PromptCase | undefined>(
    (most, each) =>
      most === undefined || each.tokens.after - each.tokens.before > most.tokens.after - most.tokens.before
        ? each
        : most,
    undefined,
  );

function textOf({ system, user }: PromptSnapshot): string {
  return canonicalJson([system ?? null, user ?? null]);
}

function promptChange(
  sides: Sides,
  { name, before, after }: Pair<PromptSnapshot>,
  models: readonly string[],
): PromptPlan {
  const object = `prompts.${name}`;
  const users = say`stands before the conversations of ${[models.length === 1 ? 'model' : 'models']} ${listed(models)}`;
  const changes: Change[] = [];
  let cases: PromptCase[] = [];
  if (textOf(before) !== textOf(after)) {
    cases = fixtureCases(sides, { name, before, after }, models);
    const most = steepest(cases);
    const size = most ? say`: ${growthInWords(most)}` : [];
    const sentence = say`prompt ${name} reads differently${size}`;
    changes.push({ kind: 'prompt_changed', risk: 'medium', object, sentence, details: [users] });
  }
  const choices = optionChanges(before.choices ?? {}, after.choices ?? {});
  if (choices.length > 0) {
    const sentence = say`prompt ${name}, allowed words: ${joined(choices.map(optionInWords), '; ')}`;
    const refused = refusedWords(sides, { name, before, after });
    const risk = refused.length > 0 ? 'high' : 'low';
    changes.push({ kind: 'prompt_changed', risk, object, sentence, details: [...refused, users] });
  }
  if (optionChanges(before.fixtures, after.fixtures).length > 0) {
    const { gone, come } = listChange(namesOf(before.fixtures ?? {}), namesOf(after.fixtures ?? {}));
    const parts = [
      ...(gone.length === 0 ? [] : [say`without ${listed(gone)}`]),
      ...(come.length === 0 ? [] : [say`with ${listed(come)}`]),
    ];
    const sentence = say`prompt ${name}: fixtures change${parts.length === 0 ? say` their values` : say`, ${joined(parts, ', ')}`}; requests do not see them`;
    changes.push({ kind: 'prompt_changed', risk: 'info', object, sentence, details: [] });
  }
  return { changes, cases };
}

function valueInWords(value: BoundValue | undefined): Phrase {
  if (value === undefined) return ['no value'];
  if (typeof value === 'string') return say`${value}`;
  return say`the request's ${placeInWords(value)}${value.default === undefined ? [] : say` (or ${value.default})`}`;
}

function bindingChange(sides: Sides, name: string, before: ModelSnapshot, after: ModelSnapshot): PromptPlan {
  const [old, now] = [before.prompt, after.prompt];
  if (canonicalJson(old ?? null) === canonicalJson(now ?? null)) return { changes: [], cases: [] };
  const object = `models.${name}`;
  const refused = newlyRefused(old, now);
  const said: Pick<Change, 'risk' | 'sentence' | 'details'>[] = [];
  const tell = (sentence: Phrase, refusals: readonly Phrase[], details: readonly Phrase[] = []): void => {
    const risk = refusals.length > 0 ? 'high' : 'medium';
    said.push({ risk, sentence, details: [...refusals, ...details] });
  };
  if (old?.name !== now?.name) {
    if (!now) tell(say`model ${name} no longer begins with prompt ${old?.name ?? ''}`, []);
    else if (!old) tell(say`model ${name} now begins with prompt ${now.name}`, [...refused.values()]);
    else tell(say`model ${name} begins with prompt ${now.name} instead of ${old.name}`, [...refused.values()]);
  } else {
    for (const variable of namesOf({ ...old?.variables, ...now?.variables })) {
      const [was, is] = [entryOf(old?.variables ?? {}, variable), entryOf(now?.variables ?? {}, variable)];
      if (canonicalJson(was ?? null) === canonicalJson(is ?? null)) continue;
      const opens = typeof was === 'string' && is !== undefined && typeof is !== 'string';
      const refusal = refused.get(variable);
      tell(
        say`model ${name}, variable ${variable} of its prompt: ${valueInWords(was)} → ${valueInWords(is)}`,
        refusal ? [refusal] : [],
        opens ? [say`clients now write this part of the prompt`] : [],
      );
    }
  }
  const shown = caseOf(
    sides,
    { object, title: say`what model ${name} begins with`, models: [name] },
    renderBound(sides.base, before),
    renderBound(sides.head, after),
  );
  return {
    changes: said.map((each): Change => ({ kind: 'prompt_changed', object, ...each })),
    cases: shown.diff.length === 0 ? [] : [shown],
  };
}

export function promptPlan(sides: Sides): PromptPlan {
  const { added, removed, kept } = paired(sides.base.prompts, sides.head.prompts);
  const usersOf = referrers(sides.head.models, ({ prompt }) => (prompt ? [prompt.name] : []));
  const object = (name: string): string => `prompts.${name}`;
  const comings = added.map(({ name, after }): PromptPlan => {
    const cases = fixtureCases(sides, { name, before: undefined, after }, usersOf(name));
    const most = steepest(cases);
    const sentence = say`prompt ${name} is new${most ? say`: ${most.tokens.after} tokens` : []}`;
    return { changes: [{ kind: 'prompt_changed', risk: 'info', object: object(name), sentence, details: [] }], cases };
  });
  const goings = removed.map(({ name }): PromptPlan => {
    const sentence = say`prompt ${name} is gone`;
    return {
      changes: [{ kind: 'prompt_changed', risk: 'info', object: object(name), sentence, details: [] }],
      cases: [],
    };
  });
  const edits = kept.map((pair) => promptChange(sides, pair, usersOf(pair.name)));
  const bindings = paired(sides.base.models, sides.head.models).kept.map(({ name, before, after }) =>
    bindingChange(sides, name, before, after),
  );
  const all = [...comings, ...goings, ...edits, ...bindings];
  return { changes: all.flatMap(({ changes }) => changes), cases: all.flatMap(({ cases }) => cases) };
}
