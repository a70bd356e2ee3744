/** Prompts: templates name usable variables, and every use and fixture gives each of them a value. */
import { isObject, isUnknown, type Place } from '../compile/places.ts';
import { handleMark, type LoadedDeclaration } from '../load/document.ts';
import { eachDeclared, type Problem, type Rule } from './rule.ts';

export const usableName = /^[A-Za-z_]\w{0,63}$/;

/** The variables of a template, read as the type checker reads them: from `{{` to the next `}}`. */
export function variablesIn(template: string): string[] {
  return [...template.matchAll(/\{\{([\s\S]*?)\}\}/g)].map(([, name = '']) => name.trim());
}

interface Template {
  readonly variables: ReadonlySet<string>;
  readonly choices: Readonly<Record<string, unknown>>;
}

/** Asked by the prompt's own rules, and for each use of it. */
const knownTemplates = new WeakMap<object, Template>();

/** Undefined when a part of the template is not known. */
function templateOf(spec: unknown): Template | undefined {
  if (!isObject(spec) || isUnknown(spec)) return undefined;
  const template = knownTemplates.get(spec) ?? readTemplate(spec);
  if (template) knownTemplates.set(spec, template);
  return template;
}

function readTemplate(spec: Readonly<Record<string, unknown>>): Template | undefined {
  const texts = [spec['system'], spec['user']].filter((text) => text !== undefined);
  if (!texts.every((text) => typeof text === 'string')) return undefined;
  return { variables: new Set(texts.flatMap(variablesIn)), choices: isObject(spec['choices']) ? spec['choices'] : {} };
}

export const variableNames = eachDeclared(({ sort, id, spec }, declaration) => {
  if (sort !== 'prompt' || !isObject(spec)) return [];
  return ['system', 'user'].flatMap((part): Problem[] => {
    const text = spec[part];
    if (typeof text !== 'string') return [];
    const bad = variablesIn(text).filter((name) => !usableName.test(name));
    const open = text.replace(/\{\{[\s\S]*?\}\}/g, '').includes('{{');
    const place: Place = { declaration, path: [part] };
    const problems = [...new Set(bad)].map((name): Problem => ({
      code: 'prompt_variable_name',
      place,
      message: `prompt '${id}': '{{${name.slice(0, 80)}}}' is not a usable variable name`,
    }));
    return open
      ? [...problems, { code: 'prompt_variable_name', place, message: `prompt '${id}': a '{{' has no '}}' after it` }]
      : problems;
  });
});

export const choicesMentioned = eachDeclared(({ sort, id, spec }, declaration) => {
  const template = sort === 'prompt' ? templateOf(spec) : undefined;
  if (!template) return [];
  return Object.keys(template.choices)
    .filter((name) => !template.variables.has(name))
    .map((name): Problem => ({
      code: 'prompt_choice_unknown',
      place: { declaration, path: ['choices', name], name: true },
      message: `prompt '${id}' lists choices for '${name}', which its templates do not mention`,
    }));
});

interface Use {
  readonly subject: string;
  readonly place: Place;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The word that a value gives for certain: a text, or the default of a source. */
function wordOf(value: unknown): { word: string; path: readonly string[] } | undefined {
  if (typeof value === 'string') return { word: value, path: [] };
  return isObject(value) && typeof value['default'] === 'string'
    ? { word: value['default'], path: ['default'] }
    : undefined;
}

/** Names missing from `use`, names too many in it, and words outside their choices. */
function compare({ variables, choices }: Template, { subject, place, values }: Use) {
  const given = Object.keys(values);
  const at = (name: string, more: readonly string[] = []): Place => ({
    ...place,
    path: [...place.path, name, ...more],
  });
  return {
    missing: [...variables]
      .filter((name) => !given.includes(name))
      .map((name) => ({ place, message: `${subject} gives no value for '${name}'` })),
    extra: given
      .filter((name) => !variables.has(name))
      .map((name) => ({
        place: { ...at(name), name: true },
        message: `${subject} gives a value for '${name}', which the templates do not mention`,
      })),
    outside: given.flatMap((name) => {
      const found = wordOf(values[name]);
      const words = choices[name];
      if (!found || !Array.isArray(words) || words.includes(found.word)) return [];
      return [
        {
          place: at(name, found.path),
          message: `${subject}: '${name}' must be one of ${words.map((word) => `'${String(word)}'`).join(', ')}`,
        },
      ];
    }),
  };
}

/** Prompt declarations by name; the first of two equal names wins. */
function promptsIn(declarations: readonly LoadedDeclaration[]): ReadonlyMap<string, LoadedDeclaration> {
  const prompts = new Map<string, LoadedDeclaration>();
  for (const each of declarations) if (each.sort === 'prompt' && !prompts.has(each.id)) prompts.set(each.id, each);
  return prompts;
}

/** Uses that fit a prompt, and the prompt as it was then. */
const fitting = new WeakMap<LoadedDeclaration, LoadedDeclaration>();

export const boundVariables: Rule = ({ declarations }) => {
  const prompts = promptsIn(declarations);
  return declarations.flatMap((each, declaration): Problem[] => {
    const { sort, spec, facts } = each;
    if (sort !== 'bound-prompt' && sort !== 'model') return [];
    let name = facts['prompt'];
    let use: Use = { subject: '', place: { declaration, path: ['variables'] }, values: {} };
    if (sort === 'model') {
      // A prompt used as it is: fine only without variables.
      const reference = isObject(spec) && isObject(spec['prompt']) ? spec['prompt'][handleMark] : undefined;
      const own = typeof reference === 'number' ? declarations[reference] : undefined;
      if (own?.sort !== 'prompt') return [];
      name = own.id;
      use = { ...use, place: { declaration, path: ['prompt'] } };
    } else {
      const variables = isObject(spec) ? spec['variables'] : undefined;
      if (!isObject(variables) || isUnknown(variables)) return [];
      use = { ...use, values: variables };
    }
    const prompt = prompts.get(name ?? '');
    const template = templateOf(prompt?.spec);
    if (!prompt || !template || fitting.get(each) === prompt) return [];
    const { missing, extra, outside } = compare(template, { ...use, subject: `prompt '${name}'` });
    if (missing.length + extra.length + outside.length === 0) fitting.set(each, prompt);
    return [
      ...missing.map((each): Problem => ({
        code: 'prompt_variable_missing',
        ...each,
        message: each.message.replace('gives', 'is given'),
      })),
      ...extra.map((each): Problem => ({
        code: 'prompt_variable_unknown',
        ...each,
        message: each.message.replace('gives', 'is given'),
      })),
      ...outside.map((each): Problem => ({ code: 'prompt_choice_invalid', ...each })),
    ];
  });
};

export const fixtureVariables = eachDeclared(({ sort, id, spec }, declaration) => {
  const template = sort === 'prompt' ? templateOf(spec) : undefined;
  const fixtures = isObject(spec) && isObject(spec['fixtures']) ? spec['fixtures'] : {};
  if (!template) return [];
  return Object.entries(fixtures).flatMap(([name, values]): Problem[] => {
    if (!isObject(values) || isUnknown(values)) return [];
    const place: Place = { declaration, path: ['fixtures', name] };
    const { missing, extra, outside } = compare(template, {
      subject: `prompt '${id}': fixture '${name}'`,
      place,
      values,
    });
    return [...missing, ...extra, ...outside].map((each): Problem => ({
      code: 'prompt_fixture_incomplete',
      ...each,
    }));
  });
});
