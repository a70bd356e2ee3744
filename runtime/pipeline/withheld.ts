/** Which models a consumer may use. Calling one, listing them and telling what was lost must agree, so all ask here. */
import { HeadgateError } from '../errors.ts';
import type { Tables } from '../generation/generation.ts';
import type { Exchange } from '../exchange.ts';
import type { LiveConsumer, OfConsumer } from '../generation/live.ts';
import { cureOf, whoMayNot } from './bound-key.ts';

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

const isIn = (names: readonly string[] | undefined, name: string | undefined): boolean =>
  names === undefined || name === undefined || names.includes(name);

export function refusalOf(
  what: keyof typeof words,
  model: string,
  exchange: Pick<Exchange, 'outcome' | 'generation'> & { readonly consumer: LiveConsumer },
): HeadgateError {
  const prompt = exchange.generation.tables.promptOf(model);
  const isAllowed = ({ models, prompts }: OfConsumer) => isIn(models, model) && isIn(prompts, prompt);
  const { who, isKey } = whoMayNot(exchange, isAllowed);
  return new HeadgateError(
    `${what}_not_allowed`,
    `${who} may not use ${words[what]} '${model}'${cureOf(isKey, `${what}s`)}.`,
    {
      param: 'model',
      object: `consumers.${exchange.consumer.name}`,
    },
  );
}
