/** Templates of prompts: what is in them that their author did not mean. */
import { estimateTokens, type ModelSnapshot, type PromptSnapshot } from '@headgate/runtime/snapshot';
import { usableName, variablesIn } from './prompts.ts';
import { problemAt, served, type Problem, type Project, type Rule, type Served } from './rule.ts';

type Prompt = Served<PromptSnapshot>;

const promptsOf = (project: Project): readonly Prompt[] => served<PromptSnapshot>(project, 'prompt');
const variablesOf = ({ system = '', user = '' }: PromptSnapshot): string[] => [
  ...new Set([...variablesIn(system), ...variablesIn(user)]),
];

export const fixtures: Rule = (project) =>
  promptsOf(project).flatMap(({ object, value }): Problem[] => {
    const variables = variablesOf(value);
    // A variable that no value can be given to has its finding.
    const usable = variables.length > 0 && variables.every((name) => usableName.test(name));
    if (!usable || Object.keys(value.fixtures ?? {}).length > 0) return [];
    const message = `prompt '${object.id}' has variables and no fixture that shows it rendered`;
    return problemAt(project, { object, path: [] }, { code: 'prompt_without_fixture', message });
  });

export const emptyPrompts: Rule = (project) =>
  promptsOf(project).flatMap(({ object, value: { system = '', user = '' } }): Problem[] =>
    `${system}${user}`.trim() === ''
      ? problemAt(project, { object, path: [] }, { code: 'prompt_empty', message: `prompt '${object.id}' has no text` })
      : [],
  );

export const singleChoices: Rule = (project) =>
  promptsOf(project).flatMap(({ object, value }) =>
    Object.entries(value.choices ?? {}).flatMap(([name, words]): Problem[] =>
      words.length === 1 && variablesOf(value).includes(name)
        ? problemAt(
            project,
            { object, path: ['choices', name] },
            { code: 'prompt_choice_single', message: `prompt '${object.id}': '${name}' can only be '${words[0]}'` },
          )
        : [],
    ),
  );

export const variableTwins: Rule = (project) =>
  promptsOf(project).flatMap(({ object, value }) => {
    const first = new Map<string, string>();
    return variablesOf(value).flatMap((name): Problem[] => {
      const key = name.toLowerCase().replaceAll('_', '');
      const other = first.get(key);
      if (other === undefined) first.set(key, name);
      if (other === undefined) return [];
      const part = variablesIn(value.system ?? '').includes(name) ? 'system' : 'user';
      const message = `prompt '${object.id}' has the variables '${other}' and '${name}'`;
      return problemAt(project, { object, path: [part] }, { code: 'prompt_variable_twins', message });
    });
  });

/** Other languages' variables, and ours with a slip: `${name}`, `{name}`, `{ {name} }`, `{% … %}`, `[[name]]`. */
const looksLikeVariable = /\$\{\w+\}|(?<![{$])\{[A-Za-z_]\w*\}(?!\})|\{ \{\s*\w+\s*\} ?\}|\{%.{0,80}?%\}|\[\[\w+\]\]/;

export const braceTypos: Rule = (project) =>
  promptsOf(project).flatMap(({ object, value }) =>
    (['system', 'user'] as const).flatMap((part): Problem[] => {
      const found = looksLikeVariable.exec(value[part] ?? '')?.[0];
      if (found === undefined) return [];
      const message = `prompt '${object.id}' has '${found}', which is not a variable here`;
      return problemAt(project, { object, path: [part] }, { code: 'prompt_brace_typo', message });
    }),
  );

/** Below this, no vendor caches a prompt. */
const cachedFromTokens = 1_024;

export const defeatedCaches: Rule = (project) => {
  const prompts = new Map(promptsOf(project).map((prompt) => [prompt.object.id, prompt]));
  const found = new Map<string, Problem[]>();
  for (const { value } of served<ModelSnapshot>(project, 'model')) {
    const prompt = prompts.get(value.prompt?.name ?? '');
    const text = prompt?.value.system ?? '';
    if (!prompt || found.has(prompt.object.id)) continue;
    const changing = Object.entries(value.prompt?.variables ?? {})
      .filter(([, given]) => typeof given !== 'string')
      .map(([name]) => ({ name, at: text.search(new RegExp(`\\{\\{\\s*${name}\\s*\\}\\}`)) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0];
    // A variable near the end leaves the better part to the cache.
    if (!changing || changing.at > text.length / 4 || text.length - changing.at <= cachedFromTokens) continue;
    const lost = estimateTokens(text.slice(changing.at));
    if (lost < cachedFromTokens) continue;
    const message = `prompt '${prompt.object.id}': about ${lost} tokens stand behind '{{${changing.name}}}', which differs between requests`;
    found.set(
      prompt.object.id,
      problemAt(project, { object: prompt.object, path: ['system'] }, { code: 'prompt_cache_defeated', message }),
    );
  }
  return [...found.values()].flat();
};
