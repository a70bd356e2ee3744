/** What a prompt asks of requests: those that do not bring it are refused, though they were served before. */
import type { ModelSnapshot, PromptSnapshot } from '@headgate/runtime/snapshot';
import { listed, say, type Phrase } from './change.ts';
import { entryOf, listChange, namesOf, type Pair, type Sides } from './revision.ts';

type Bound = NonNullable<ModelSnapshot['prompt']>;
export type BoundValue = Bound['variables'][string];
type Asked = Exclude<BoundValue, string>;

export const placeInWords = ({ from, name }: Asked): Phrase =>
  from === 'header' ? say`header ${name}` : say`metadata ${name}`;

/** Places of a request that must bring a value, by their variable. */
function required(bound: Bound | undefined): Map<string, Asked> {
  const values = Object.entries(bound?.variables ?? {});
  return new Map(
    values.flatMap(([variable, value]): [string, Asked][] =>
      typeof value === 'string' || value.default !== undefined ? [] : [[variable, value]],
    ),
  );
}

/** By variable, which requests a model refuses that it did not refuse before. */
export function newlyRefused(before: Bound | undefined, after: Bound | undefined): ReadonlyMap<string, Phrase> {
  const asked = [...required(before).values()];
  const news = [...required(after)].filter(
    ([, { from, name }]) => !asked.some((each) => each.from === from && each.name === name),
  );
  return new Map(
    news.map(([variable, value]) => [
      variable,
      say`requests without ${placeInWords(value)} are refused with 400 from then on`,
    ]),
  );
}

/** What requests may no longer say in the places that fill a prompt. */
export function refusedWords(sides: Sides, { name, before, after }: Pair<PromptSnapshot>): Phrase[] {
  const told = new Map<string, Phrase>();
  for (const model of namesOf(sides.head.models)) {
    const [old, now] = [sides.base, sides.head].map((side) => entryOf(side.models, model)?.prompt);
    if (old?.name !== name || now?.name !== name) continue;
    for (const [variable, words] of Object.entries(after.choices ?? {})) {
      const value = entryOf(now.variables, variable);
      const allowed = entryOf(before.choices ?? {}, variable);
      const { gone } = listChange(allowed, words);
      if (value === undefined || typeof value === 'string' || (allowed && gone.length === 0)) continue;
      const refused = allowed ? listed(gone) : say`anything but ${listed(words)}`;
      const place = placeInWords(value);
      told.set(
        `${value.from} ${value.name} ${variable}`,
        say`requests whose ${place} says ${refused} are refused with 400 from then on`,
      );
    }
  }
  return [...told.values()];
}
