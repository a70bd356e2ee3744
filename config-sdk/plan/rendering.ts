/** Prompts as requests will carry them, rendered by the runtime's own code, with the tokens they take. */
import { messageTokens } from '@headgate/runtime/context/message-tokens';
import { bindPrompt, cutTemplate } from '@headgate/runtime/generation/template';
import type { ModelSnapshot, PromptSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { entryOf } from './revision.ts';

export interface Rendered {
  /** Each message under a line with its role. */
  readonly text: string;
  readonly tokens: number;
}

export const nothing: Rendered = { text: '', tokens: 0 };

/** A value that is only known when a request is made shows its variable. */
const placeholder = (variable: string): string => `{{${variable}}}`;

export function render(prompt: PromptSnapshot, values: Readonly<Record<string, string>>): Rendered {
  // Placeholders are not among the choices, and checking values is not what rendering is for here.
  const { choices: _choices, ...templates } = prompt;
  const named = new Map(Object.entries(values));
  const variables = Object.fromEntries(
    variablesOf(prompt).map((name): [string, string] => [name, named.get(name) ?? placeholder(name)]),
  );
  const messages = bindPrompt(templates, variables)(() => undefined);
  return {
    text: messages
      .map(({ role, parts }) => `[${role}]\n${parts.map((part) => (part.type === 'text' ? part.text : '')).join('')}`)
      .join('\n\n'),
    tokens: messages.reduce((sum, message) => sum + messageTokens(message), 0),
  };
}

/** The names that a prompt's templates mention. */
const variablesOf = ({ system = '', user = '' }: PromptSnapshot): string[] =>
  [system, user].flatMap(cutTemplate).flatMap((piece) => ('variable' in piece ? [piece.variable] : []));

/** What a model puts before its conversations: literal values in their places, all others as placeholders. */
export function renderBound(snapshot: Snapshot, { prompt: bound }: ModelSnapshot): Rendered {
  const prompt = bound && entryOf(snapshot.prompts, bound.name);
  if (!prompt) return nothing;
  const literals = Object.entries(bound.variables).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' ? [[name, value]] : [],
  );
  return render(prompt, Object.fromEntries(literals));
}
