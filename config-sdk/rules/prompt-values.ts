/** Values of prompt variables: where they come from, and what they do to the text around them. */
import type { ModelSnapshot, PromptSnapshot, ValueSource } from '@headgate/runtime/snapshot';
import { variablesIn } from './prompts.ts';
import { eachServed, problemAt } from './rule.ts';
import type { Beside, CompiledObject, Problem, Rule, Served } from './rule.ts';
import { once } from './targets.ts';

interface Given {
  readonly object: CompiledObject;
  readonly path: readonly string[];
  readonly subject: string;
  readonly name: string;
  readonly value: ValueSource;
}

const boundBy = ({ object, value: { prompt } }: Served<ModelSnapshot>): Given[] =>
  Object.entries(prompt?.variables ?? {}).map(([name, value]) => ({
    object,
    path: ['prompt', 'variables', name],
    subject: `prompt '${prompt?.name}'`,
    name,
    value,
  }));

const triedBy = ({ object, value: { fixtures = {} } }: Served<PromptSnapshot>): Given[] =>
  Object.entries(fixtures).flatMap(([fixture, values]) =>
    Object.entries(values).map(([name, value]) => ({
      object,
      path: ['fixtures', fixture, name],
      subject: `prompt '${object.id}': fixture '${fixture}'`,
      name,
      value,
    })),
  );

/** A rule about each value that a model binds, and, where both count, each of a fixture. Models may share a bound prompt. */
function eachGiven(judge: (given: Given, beside: Beside) => readonly Problem[], where: 'bound' | 'both'): Rule {
  const bound = eachServed<ModelSnapshot>('model', (each, beside) =>
    boundBy(each).flatMap((given) => judge(given, beside)),
  );
  const tried = eachServed<PromptSnapshot>('prompt', (each, beside) =>
    triedBy(each).flatMap((given) => judge(given, beside)),
  );
  return (project) => once([...bound(project), ...(where === 'both' ? tried(project) : [])]);
}

/** The text that is given for certain: written out, or the default of a source. */
const textOf = (value: ValueSource): string | undefined => (typeof value === 'string' ? value : value.default);
const placed = ({ value, path }: Given): readonly string[] => (typeof value === 'string' ? path : [...path, 'default']);

export const emptyValues = eachGiven((given, beside): Problem[] => {
  // An empty default is a way to say that a value may be left out.
  if (typeof given.value !== 'string' || given.value.trim() !== '') return [];
  const message = `${given.subject} gives '${given.name}' no text`;
  return problemAt(beside, given, { code: 'prompt_value_empty', message });
}, 'both');

export const templatesInValues = eachGiven((given, beside): Problem[] => {
  const found = /\{\{[^{}]*\}\}/.exec(textOf(given.value) ?? '')?.[0];
  if (found === undefined) return [];
  const message = `${given.subject} gives '${given.name}' a text with '${found}', which is not looked at again`;
  return problemAt(beside, { object: given.object, path: placed(given) }, { code: 'prompt_value_template', message });
}, 'both');

/** Where clients put their key; and what browsers send by themselves. */
const credentialHeader = /^(authorization|proxy-authorization|x-api-key|x-goog-api-key|api-key|cookie)$/i;

const isCredential = ({ value }: Given): boolean =>
  typeof value !== 'string' && value.from === 'header' && credentialHeader.test(value.name);

export const credentialsInPrompts = eachGiven((given, beside): Problem[] => {
  if (typeof given.value === 'string' || !isCredential(given)) return [];
  const message = `${given.subject} takes '${given.name}' from header '${given.value.name}', where clients send their key`;
  return problemAt(beside, given, { code: 'credential_in_prompt', message });
}, 'bound');

export const clientTexts = eachGiven((given, beside): Problem[] => {
  const { object, name, value } = given;
  if (typeof value === 'string' || isCredential(given)) return [];
  const prompt = beside.named('prompt', (object.value as ModelSnapshot).prompt?.name ?? '')?.value as
    | PromptSnapshot
    | undefined;
  if (prompt?.choices?.[name] !== undefined || !variablesIn(prompt?.system ?? '').includes(name)) return [];
  const source = value.from === 'header' ? `header '${value.name}'` : `metadata '${value.name}'`;
  const message = `${given.subject} puts ${source} of the client into its system text as '${name}'`;
  return problemAt(beside, given, { code: 'client_text_in_system', message });
}, 'bound');
