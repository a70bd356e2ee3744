/** Which models a consumer may use. Calling one, listing them and telling what was lost must agree, so all ask here. */
import { HeadgateError } from '../errors.ts';
import type { Tables } from '../generation/generation.ts';
import type { LiveConsumer } from '../generation/live.ts';

/** What keeps `consumer` from using `model`: that itself, or its prompt. */
export function withheld(
  { models, prompts }: LiveConsumer,
  model: string,
  { promptOf }: Pick<Tables, 'promptOf'>,
): 'model' | 'prompt' | undefined {
  if (models?.has(model) === false) return 'model';
  const prompt = prompts && promptOf(model);
  return prompt !== undefined && prompts?.has(prompt) === false ? 'prompt' : undefined;
}

/** Clients do not know prompts by name: the model says which is meant. */
const words = { model: 'model', prompt: 'the prompt of model' } as const;

export const refusalOf = (what: keyof typeof words, consumer: string, model: string): HeadgateError =>
  new HeadgateError(`${what}_not_allowed`, `Consumer '${consumer}' may not use ${words[what]} '${model}'.`, {
    param: 'model',
    object: `consumers.${consumer}`,
  });
