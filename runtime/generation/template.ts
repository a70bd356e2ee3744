/** Prompt templates: text with `{{name}}` places, and no logic. */
import type { Message } from '../call.ts';
import { HeadgateError } from '../errors.ts';
import type { PromptSnapshot, ValueSource } from '../snapshot.ts';
import type { ReadValue } from './live.ts';

type Piece = { readonly text: string } | { readonly variable: string };

/** Without optional space inside, which the engine would look for again and again: time must be linear in the text. */
const place = /\{\{([^{}]*)\}\}/g;

/** Cut once, when the generation is built. Values are inserted as they are: a place inside a value stays text. */
export function cutTemplate(template: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of template.matchAll(place)) {
    pieces.push({ text: template.slice(end, match.index) }, { variable: (match[1] ?? '').trim() });
    end = match.index + match[0].length;
  }
  return [...pieces, { text: template.slice(end) }];
}

export function fillTemplate(pieces: readonly Piece[], valueOf: (variable: string) => string): string {
  return pieces.map((piece) => ('text' in piece ? piece.text : valueOf(piece.variable))).join('');
}

function sourceInWords(source: Exclude<ValueSource, string>): string {
  return source.from === 'header' ? `request header '${source.name}'` : `'${source.name}' in the body's metadata`;
}

function valueFor(variable: string, source: ValueSource | undefined, read: ReadValue): string {
  if (typeof source === 'string') return source;
  const value = source && (read(source.from, source.name) ?? source.default);
  if (value !== undefined) return value;
  const where = source ? `send it as ${sourceInWords(source)}` : 'the configuration gives it no value';
  throw new HeadgateError('prompt_variable_missing', `The prompt needs a value for '${variable}': ${where}.`);
}

const roles = ['system', 'user'] as const;

interface Template {
  readonly role: (typeof roles)[number];
  readonly pieces: readonly Piece[];
}

/** A prompt is cut once, however many models and fixtures use it. */
const templatesOf = new WeakMap<PromptSnapshot, readonly Template[]>();

function cutPrompt(prompt: PromptSnapshot): readonly Template[] {
  const known = templatesOf.get(prompt);
  if (known) return known;
  const templates = roles.flatMap((role): Template[] => {
    const text = prompt[role];
    return text === undefined ? [] : [{ role, pieces: cutTemplate(text) }];
  });
  templatesOf.set(prompt, templates);
  return templates;
}

/** A prompt bound to its variables, ready to render for each request. */
export function bindPrompt(prompt: PromptSnapshot, variables: Readonly<Record<string, ValueSource>>) {
  const templates = cutPrompt(prompt);
  const checkChoice = (variable: string, value: string): string => {
    const choices = prompt.choices && Object.hasOwn(prompt.choices, variable) ? prompt.choices[variable] : undefined;
    if (!choices || choices.includes(value)) return value;
    throw new HeadgateError('invalid_request', `The prompt's '${variable}' must be one of: ${choices.join(', ')}.`);
  };
  return (read: ReadValue): readonly Message[] =>
    templates.map(({ role, pieces }) => {
      const source = (variable: string) => (Object.hasOwn(variables, variable) ? variables[variable] : undefined);
      const text = fillTemplate(pieces, (variable) =>
        checkChoice(variable, valueFor(variable, source(variable), read)),
      );
      return { role, parts: [{ type: 'text', text }] };
    });
}
