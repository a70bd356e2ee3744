/** Templates of prompts: what is in them that their author did not mean. */
import { estimateTokens, type ModelSnapshot, type PromptSnapshot } from '@headgate/runtime/snapshot';
import { usableName, variablesIn } from './prompts.ts';
import { eachServed, problemAt, type Problem, type Rule } from './rule.ts';

const variablesOf = ({ system = '', user = '' }: PromptSnapshot): string[] => [
  ...new Set([...variablesIn(system), ...variablesIn(user)]),
];

export const fixtures = eachServed<PromptSnapshot>('prompt', ({ object, value }, beside): Problem[] => {
  const variables = variablesOf(value);
  // A variable that no value can be given to has its finding.
  const usable = variables.length > 0 && variables.every((name) => usableName.test(name));
  if (!usable || Object.keys(value.fixtures ?? {}).length > 0) return [];
  const message = `prompt '${object.id}' has variables and no fixture that shows it rendered`;
  return problemAt(beside, { object, path: [] }, { code: 'prompt_without_fixture', message });
});

export const emptyPrompts = eachServed<PromptSnapshot>(
  'prompt',
  ({ object, value: { system = '', user = '' } }, beside): Problem[] =>
    `${system}${user}`.trim() === ''
      ? problemAt(beside, { object, path: [] }, { code: 'prompt_empty', message: `prompt '${object.id}' has no text` })
      : [],
);

export const singleChoices = eachServed<PromptSnapshot>('prompt', ({ object, value }, beside) =>
  Object.entries(value.choices ?? {}).flatMap(([name, words]): Problem[] =>
    words.length === 1 && variablesOf(value).includes(name)
      ? problemAt(
          beside,
          { object, path: ['choices', name] },
          { code: 'prompt_choice_single', message: `prompt '${object.id}': '${name}' can only be '${words[0]}'` },
        )
      : [],
  ),
);

export const variableTwins = eachServed<PromptSnapshot>('prompt', ({ object, value }, beside) => {
  const first = new Map<string, string>();
  return variablesOf(value).flatMap((name): Problem[] => {
    const key = name.toLowerCase().replaceAll('_', '');
    const other = first.get(key);
    if (other === undefined) first.set(key, name);
    if (other === undefined) return [];
    const part = variablesIn(value.system ?? '').includes(name) ? 'system' : 'user';
    const message = `prompt '${object.id}' has the variables '${other}' and '${name}'`;
    return problemAt(beside, { object, path: [part] }, { code: 'prompt_variable_twins', message });
  });
});

/** Other languages' variables, and ours with a slip: `${name}`, `{name}`, `{ {name} }`, `{% … %}`, `[[name]]`. */
const looksLikeVariable = /\$\{\w+\}|(?<![{$])\{[A-Za-z_]\w*\}(?!\})|\{ \{\s*\w+\s*\} ?\}|\{%.{0,80}?%\}|\[\[\w+\]\]/;

export const braceTypos = eachServed<PromptSnapshot>('prompt', ({ object, value }, beside) =>
  (['system', 'user'] as const).flatMap((part): Problem[] => {
    const found = looksLikeVariable.exec(value[part] ?? '')?.[0];
    if (found === undefined) return [];
    const message = `prompt '${object.id}' has '${found}', which is not a variable here`;
    return problemAt(beside, { object, path: [part] }, { code: 'prompt_brace_typo', message });
  }),
);

/** Below this, no vendor caches a prompt. */
const cachedFromTokens = 1_024;

const defeatedIn = eachServed<ModelSnapshot>('model', ({ value }, beside): Problem[] => {
  const name = value.prompt?.name;
  const object = name === undefined ? undefined : beside.named('prompt', name);
  const text = (object?.value as PromptSnapshot | undefined)?.system ?? '';
  const changing = Object.entries(value.prompt?.variables ?? {})
    .filter(([, given]) => typeof given !== 'string')
    .map(([variable]) => ({ variable, at: text.search(new RegExp(`\\{\\{\\s*${variable}\\s*\\}\\}`)) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)[0];
  // A variable near the end leaves the better part to the cache.
  if (!object || !changing || changing.at > text.length / 4 || text.length - changing.at <= cachedFromTokens) return [];
  const lost = estimateTokens(text.slice(changing.at));
  if (lost < cachedFromTokens) return [];
  const message = `prompt '${name}': about ${lost} tokens stand behind '{{${changing.variable}}}', which differs between requests`;
  return problemAt(beside, { object, path: ['system'] }, { code: 'prompt_cache_defeated', message });
});

/** Said once of a prompt, in the words for the first model that has it. */
export const defeatedCaches: Rule = (project) => {
  const places = new Set<string>();
  return defeatedIn(project).filter(({ place }) => {
    const key = JSON.stringify(place);
    const isFirst = !places.has(key);
    places.add(key);
    return isFirst;
  });
};
