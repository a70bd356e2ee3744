/** What requests must or may bring along so that prompts can be rendered: the part of the configuration that applications depend on. */
import { cutTemplate } from '@headgate/runtime/generation/template';
import type { ModelSnapshot, PromptSnapshot, Snapshot } from '@headgate/runtime/snapshot';

export interface Field {
  readonly name: string;
  /** Without it the request is refused. */
  readonly isRequired: boolean;
  /** The only words it takes. */
  readonly choices?: readonly string[];
}

const byName = <Named extends { readonly name: string }>(a: Named, b: Named): number => (a.name < b.name ? -1 : 1);

const choicesOf = (prompt: PromptSnapshot | undefined, variable: string): readonly string[] | undefined =>
  prompt?.choices && Object.hasOwn(prompt.choices, variable) ? prompt.choices[variable] : undefined;

/** Two variables may be filled from one field: it must then suit both. */
function both(one: Field, other: Field): Field {
  const choices =
    one.choices && other.choices
      ? one.choices.filter((word) => other.choices?.includes(word))
      : (one.choices ?? other.choices);
  return { name: one.name, isRequired: one.isRequired || other.isRequired, ...(choices && { choices }) };
}

/** The fields of one sort that a model's prompt takes its values from, by name. */
export function requestFields(snapshot: Snapshot, model: ModelSnapshot, sort: 'header' | 'metadata'): Field[] {
  const fields = new Map<string, Field>();
  for (const [variable, source] of Object.entries(model.prompt?.variables ?? {})) {
    if (typeof source === 'string' || source.from !== sort) continue;
    const name = sort === 'header' ? source.name.toLowerCase() : source.name;
    const choices = choicesOf(model.prompt && snapshot.prompts[model.prompt.name], variable);
    const field = { name, isRequired: source.default === undefined, ...(choices && { choices }) };
    const known = fields.get(name);
    fields.set(name, known ? both(known, field) : field);
  }
  return [...fields.values()].sort(byName);
}

/** The variables that a prompt's templates mention, by name. */
export function promptFields(prompt: PromptSnapshot): Field[] {
  const names = [prompt.system, prompt.user].flatMap((template) =>
    cutTemplate(template ?? '').flatMap((piece) => ('variable' in piece ? [piece.variable] : [])),
  );
  return [...new Set(names)]
    .map((name): Field => {
      const choices = choicesOf(prompt, name);
      return { name, isRequired: true, ...(choices && { choices }) };
    })
    .sort(byName);
}

export const sortedEntries = <Value>(record: Readonly<Record<string, Value>>): [string, Value][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
