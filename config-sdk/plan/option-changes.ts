/** Differences between two pieces of plain data, each at its path, for options that only their kind knows. */
import { canonicalJson } from '@headgate/runtime/canonical-json';
import { counted, joined, listed, say, type Phrase } from './change.ts';
import { inDuration } from './durations.ts';
import { isRecord, listChange, namesOf } from './revision.ts';

export interface OptionChange {
  /** Property names down to the value. */
  readonly path: readonly string[];
  /** Undefined when the property is absent. */
  readonly before: unknown;
  readonly after: unknown;
}

const isSecret = (value: unknown): value is { readonly $secret: string; readonly optional?: boolean } =>
  isRecord(value) && typeof value['$secret'] === 'string';

const same = (a: unknown, b: unknown): boolean =>
  a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b);

/** Down to values that are no objects; a secret counts as one value. */
export function optionChanges(before: unknown, after: unknown, path: readonly string[] = []): OptionChange[] {
  if (same(before, after)) return [];
  const nested = [before, after].every((side) => side === undefined || (isRecord(side) && !isSecret(side)));
  if (!nested || path.length > 20) return [{ path, before, after }];
  const [old, now] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  const found = namesOf({ ...old, ...now }).flatMap((key) => {
    const at = (side: Readonly<Record<string, unknown>>): unknown => (Object.hasOwn(side, key) ? side[key] : undefined);
    return optionChanges(at(old), at(now), [...path, key]);
  });
  return found.length === 0 ? [{ path, before, after }] : found;
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

function valueInWords(value: unknown, name: string | undefined): Phrase {
  if (value === undefined) return ['none'];
  const length = inDuration(name, value);
  if (length !== undefined) return [length];
  if (isSecret(value)) return say`secret ${value.$secret}${[value.optional === true ? ' (optional)' : '']}`;
  if (Array.isArray(value) && value.length > 0 && value.every(isSecret))
    return joined(
      value.map((each) => valueInWords(each, undefined)),
      ', ',
    );
  if (typeof value === 'number') return say`${value}`;
  return say`${typeof value === 'string' ? value : canonicalJson(value)}`;
}

/** Such as: `target` 6,000 → 3,000. Lists of texts say what goes and what comes. */
export function optionInWords({ path, before, after }: OptionChange): Phrase {
  const name = path.join('.');
  if (isTexts(before) && isTexts(after)) {
    const { gone, come } = listChange(before, after);
    if (gone.length + come.length === 0) return say`${name} is in another order`;
    const parts: Phrase[] = [];
    if (gone.length > 0) parts.push(say`loses ${counted(gone.length, 'entry', 'entries')} (${listed(gone)})`);
    if (come.length > 0) parts.push(say`gains ${counted(come.length, 'entry', 'entries')} (${listed(come)})`);
    return say`${name} ${joined(parts, ' and ')}`;
  }
  if (path.includes('headers') && !isSecret(before) && !isSecret(after)) {
    // Header values may hold what the team would not repeat in a comment.
    return say`${name} ${[before === undefined ? 'is new' : after === undefined ? 'is gone' : 'has another value']}`;
  }
  return say`${name} ${valueInWords(before, path.at(-1))} → ${valueInWords(after, path.at(-1))}`;
}

/** A list that became shorter, or lost some of its entries. */
export const losesEntries = ({ before, after }: OptionChange): boolean =>
  isTexts(before) && (!isTexts(after) || listChange(before, after).gone.length > 0);
