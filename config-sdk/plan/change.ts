/** What a plan is made of: changes by risk, and sentences that keep names from the configuration apart from our own words. */

export const risks = ['high', 'medium', 'low', 'info'] as const;
export type Risk = (typeof risks)[number];

/** In the order in which changes of equal risk are told. */
export const changeKinds = [
  'access_gained',
  'access_lost',
  'key_added',
  'key_removed',
  'key_moved',
  'limit_loosened',
  'limit_tightened',
  'destination_added',
  'destination_changed',
  'destination_removed',
  'credential_changed',
  'targets_changed',
  'weights_changed',
  'window_changed',
  'guard_removed',
  'guard_changed',
  'guard_added',
  'prompt_changed',
  'context_changed',
  'facts_changed',
  'delivery_changed',
  'gateway_changed',
  'renamed',
  'other_changed',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** A string is ours to write; `code` comes from the configuration and may hold anything. */
export type Piece = string | { readonly code: string };
export type Phrase = readonly Piece[];

export const grouped = (value: number): string => {
  const [whole = '', rest] = String(value).split('.');
  const digits = whole.replaceAll(/\B(?=(\d{3})+(?!\d))/g, ',');
  return rest === undefined ? digits : `${digits}.${rest}`;
};

/** Strings put into it are taken as names from the configuration, numbers are grouped by thousands. */
export function say(words: TemplateStringsArray, ...values: readonly (string | number | Phrase)[]): Phrase {
  return words.flatMap((word, index): Piece[] => {
    const value = values[index];
    const pieces: Phrase =
      value === undefined
        ? []
        : typeof value === 'string'
          ? [{ code: value }]
          : typeof value === 'number'
            ? [grouped(value)]
            : value;
    return word === '' ? [...pieces] : [word, ...pieces];
  });
}

/** `1 model`, `3 models`. */
export const counted = (count: number, word: string, many = `${word}s`): Phrase => [
  `${grouped(count)} ${count === 1 ? word : many}`,
];

const mostNames = 8;

/** `a`, `b` and 3 more. */
export function listed(names: readonly string[]): Phrase {
  const shown = names.length > mostNames + 1 ? names.slice(0, mostNames) : names;
  const hidden = names.length - shown.length;
  const pieces = shown.flatMap((name, index): Piece[] => {
    const last = index === shown.length - 1 && hidden === 0;
    return [...(index === 0 ? [] : [last ? ' and ' : ', ']), { code: name }];
  });
  return hidden === 0 ? pieces : [...pieces, ` and ${grouped(hidden)} more`];
}

export const joined = (phrases: readonly Phrase[], between: string): Phrase =>
  phrases.flatMap((phrase, index) => (index === 0 ? phrase : [between, ...phrase]));

export interface Change {
  readonly kind: ChangeKind;
  readonly risk: Risk;
  /** `collection.name`, as in the `sources` of a snapshot; `gateway` for the whole. */
  readonly object: string;
  readonly sentence: Phrase;
  readonly details: readonly Phrase[];
}

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const plainText = (phrase: Phrase): string =>
  phrase.map((piece) => (typeof piece === 'string' ? piece : `'${piece.code}'`)).join('');

/** Highest risk first, then by kind; the rest only keeps the order the same on every machine. */
export const inRiskOrder = (changes: readonly Change[]): Change[] =>
  changes.toSorted(
    (a, b) =>
      risks.indexOf(a.risk) - risks.indexOf(b.risk) ||
      changeKinds.indexOf(a.kind) - changeKinds.indexOf(b.kind) ||
      byText(a.object, b.object) ||
      byText(plainText(a.sentence), plainText(b.sentence)),
  );
