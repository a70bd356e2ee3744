/** Values of prompt variables: where they come from, and what they do to the text around them. */
import type { ModelSnapshot, PromptSnapshot, ValueSource } from '@headgate/runtime/snapshot';
import { variablesIn } from './prompts.ts';
import { byName, oncePerProject, problemAt, served, type CompiledObject, type Problem, type Rule } from './rule.ts';
import { once } from './targets.ts';

interface Given {
  readonly object: CompiledObject;
  readonly path: readonly string[];
  readonly subject: string;
  readonly name: string;
  readonly value: ValueSource;
  /** The prompt that it is given to. */
  readonly prompt: PromptSnapshot | undefined;
}

/** Values that models bind, and those of fixtures. */
const valuesIn = oncePerProject((project): { bound: readonly Given[]; tried: readonly Given[] } => {
  const prompts = byName(project, 'prompt');
  const bound = served<ModelSnapshot>(project, 'model').flatMap(({ object, value }) =>
    Object.entries(value.prompt?.variables ?? {}).map(([name, given]): Given => ({
      object,
      path: ['prompt', 'variables', name],
      subject: `prompt '${value.prompt?.name}'`,
      name,
      value: given,
      prompt: prompts.get(value.prompt?.name ?? '')?.value as PromptSnapshot | undefined,
    })),
  );
  const tried = served<PromptSnapshot>(project, 'prompt').flatMap(({ object, value: prompt }) =>
    Object.entries(prompt.fixtures ?? {}).flatMap(([fixture, values]) =>
      Object.entries(values).map(([name, value]): Given => ({
        object,
        path: ['fixtures', fixture, name],
        subject: `prompt '${object.id}': fixture '${fixture}'`,
        name,
        value,
        prompt,
      })),
    ),
  );
  return { bound, tried };
});

/** The text that is given for certain: written out, or the default of a source. */
const textOf = (value: ValueSource): string | undefined => (typeof value === 'string' ? value : value.default);
const placed = ({ value, path }: Given): readonly string[] => (typeof value === 'string' ? path : [...path, 'default']);

export const emptyValues: Rule = (project) => {
  const { bound, tried } = valuesIn(project);
  return once(
    [...bound, ...tried].flatMap((given): Problem[] => {
      // An empty default is a way to say that a value may be left out.
      if (typeof given.value !== 'string' || given.value.trim() !== '') return [];
      const message = `${given.subject} gives '${given.name}' no text`;
      return problemAt(project, given, { code: 'prompt_value_empty', message });
    }),
  );
};

export const templatesInValues: Rule = (project) => {
  const { bound, tried } = valuesIn(project);
  return once(
    [...bound, ...tried].flatMap((given): Problem[] => {
      const found = /\{\{[^{}]*\}\}/.exec(textOf(given.value) ?? '')?.[0];
      if (found === undefined) return [];
      const message = `${given.subject} gives '${given.name}' a text with '${found}', which is not looked at again`;
      return problemAt(
        project,
        { object: given.object, path: placed(given) },
        { code: 'prompt_value_template', message },
      );
    }),
  );
};

/** Where clients put their key; and what browsers send by themselves. */
const credentialHeader = /^(authorization|proxy-authorization|x-api-key|x-goog-api-key|api-key|cookie)$/i;

const isCredential = ({ value }: Given): boolean =>
  typeof value !== 'string' && value.from === 'header' && credentialHeader.test(value.name);

export const credentialsInPrompts: Rule = (project) =>
  once(
    valuesIn(project).bound.flatMap((given): Problem[] => {
      if (typeof given.value === 'string' || !isCredential(given)) return [];
      const message = `${given.subject} takes '${given.name}' from header '${given.value.name}', where clients send their key`;
      return problemAt(project, given, { code: 'credential_in_prompt', message });
    }),
  );

export const clientTexts: Rule = (project) =>
  once(
    valuesIn(project).bound.flatMap((given): Problem[] => {
      const { name, value, prompt } = given;
      const free = typeof value !== 'string' && !isCredential(given) && prompt?.choices?.[name] === undefined;
      if (!free || !variablesIn(prompt?.system ?? '').includes(name)) return [];
      const source = value.from === 'header' ? `header '${value.name}'` : `metadata '${value.name}'`;
      const message = `${given.subject} puts ${source} of the client into its system text as '${name}'`;
      return problemAt(project, given, { code: 'client_text_in_system', message });
    }),
  );
