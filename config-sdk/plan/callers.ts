/** Whom consumers belong to, and what keys are bound to: what opens wider, and what closes. */
import type { ConsumerSnapshot, KeyTermsSnapshot } from '@headgate/runtime/snapshot';
import { joined, listed, say, type Change, type Phrase } from './change.ts';
import { inShort } from './keys.ts';
import { optionChanges, optionInWords } from './option-changes.ts';
import { entryOf, listChange, paired, type Pair, type Sides } from './revision.ts';

/** Whose counts its requests draw from, and whose lists bound it: what it may use is told where it changes. */
function belonging({ name, before, after }: Pair<ConsumerSnapshot>): Change[] {
  return (['team', 'organisation'] as const).flatMap((sort): Change[] => {
    const [old, now] = [before[sort], after[sort]];
    if (old === now) return [];
    const to = now === undefined ? say`no ${[sort]} any more` : say`${[sort]} ${now}`;
    const from = old === undefined ? [] : say` (before: ${old})`;
    const sentence = say`consumer ${name} belongs to ${to}${from}`;
    const details = [say`what is counted for each ${[sort]} goes on another count`];
    return [{ kind: 'other_changed', risk: 'medium', object: `consumers.${name}`, sentence, details }];
  });
}

interface Bound {
  readonly object: string;
  /** What is bound, such as `key sha256:… of consumer web`. */
  readonly subject: Phrase;
}

const narrowedOrWidened = (looser: boolean, { object }: Bound, sentence: Phrase): Change => ({
  kind: looser ? 'access_gained' : 'access_lost',
  risk: 'high',
  object,
  sentence,
  details: [],
});

/** A list that bounds, and bounds nothing where it is absent. */
function bounds(
  bound: Bound,
  what: string,
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
): Change[] {
  const { subject } = bound;
  if (before === undefined && after === undefined) return [];
  if (after === undefined)
    return [narrowedOrWidened(true, bound, say`${subject} is no longer bound to certain ${[what]}`)];
  if (after.length === 0)
    return [narrowedOrWidened(false, bound, say`${subject} may use no ${[what]} at all from now on`)];
  if (before === undefined)
    return [narrowedOrWidened(false, bound, say`${subject} is bound to these ${[what]} from now on: ${listed(after)}`)];
  const { gone, come } = listChange(before, after);
  return [
    ...(come.length > 0 ? [narrowedOrWidened(true, bound, say`${subject} gains ${[what]}: ${listed(come)}`)] : []),
    ...(gone.length > 0 ? [narrowedOrWidened(false, bound, say`${subject} loses ${[what]}: ${listed(gone)}`)] : []),
  ];
}

function expiry(bound: Bound, before: string | undefined, after: string | undefined): Change[] {
  if (before === after) return [];
  const { subject } = bound;
  if (after === undefined)
    return [narrowedOrWidened(true, bound, say`${subject} no longer expires (before: ${before ?? ''})`)];
  const was = before === undefined ? say`never` : say`${before}`;
  const looser = before !== undefined && before < after;
  return [narrowedOrWidened(looser, bound, say`${subject} expires ${after} (before: ${was})`)];
}

function termsChanges(bound: Bound, before: KeyTermsSnapshot, after: KeyTermsSnapshot): Change[] {
  return [
    ...expiry(bound, before.expires, after.expires),
    ...bounds(bound, 'addresses', before.addresses, after.addresses),
    ...bounds(bound, 'models', before.models, after.models),
    ...bounds(bound, 'routes', before.routes, after.routes),
    ...bounds(bound, 'prompts', before.prompts, after.prompts),
  ];
}

/** Conditions that are edited may let in other people than before: who reviews it must look. */
function tokensChanges({ name, before, after }: Pair<ConsumerSnapshot>): Change[] {
  const found = optionChanges({ jwt: before.jwt ?? [] }, { jwt: after.jwt ?? [] });
  if (found.length === 0) return [];
  const lost = (after.jwt ?? []).length === 0;
  const sentence = lost
    ? say`no token stands for consumer ${name} any more`
    : say`other tokens stand for consumer ${name} than before`;
  const object = `consumers.${name}`;
  return [
    { kind: lost ? 'access_lost' : 'access_gained', risk: 'high', object, sentence, details: found.map(optionInWords) },
  ];
}

function issuerChanges({ base, head }: Sides): Change[] {
  const { added, removed, kept } = paired(base.issuers, head.issuers);
  return [
    ...added.map(({ name, after }): Change => ({
      kind: 'access_gained',
      risk: 'high',
      object: `issuers.${name}`,
      sentence: say`tokens of issuer ${name} (${after.url}) are believed from now on`,
      details: [say`for the audience ${listed(after.audience)}`],
    })),
    ...removed.map(({ name }): Change => ({
      kind: 'access_lost',
      risk: 'high',
      object: `issuers.${name}`,
      sentence: say`tokens of issuer ${name} are not believed any more: who calls with them gets 401`,
      details: [],
    })),
    ...kept.flatMap(({ name, before, after }): Change[] => {
      const found = optionChanges(before, after);
      if (found.length === 0) return [];
      const sentence = say`which tokens of issuer ${name} are believed changes: ${joined(found.map(optionInWords), '; ')}`;
      return [{ kind: 'access_gained', risk: 'high', object: `issuers.${name}`, sentence, details: [] }];
    }),
  ];
}

export function callerChanges(sides: Sides): Change[] {
  const { base, head } = sides;
  const kept = paired(base.consumers, head.consumers).kept.flatMap((pair): Change[] => {
    const { name, before, after } = pair;
    const object = `consumers.${name}`;
    const keys = after.keys.filter((key) => before.keys.includes(key));
    const [old, now] = [before.keyTerms ?? {}, after.keyTerms ?? {}];
    return [
      ...belonging(pair),
      ...tokensChanges(pair),
      ...bounds({ object, subject: say`consumer ${name}` }, 'addresses', before.addresses, after.addresses),
      ...bounds({ object, subject: say`consumer ${name}` }, 'prompts', before.prompts, after.prompts),
      ...keys.flatMap((key) => {
        const subject = say`key ${inShort(key)} of consumer ${name}`;
        return termsChanges({ object, subject }, entryOf(old, key) ?? {}, entryOf(now, key) ?? {});
      }),
    ];
  });
  return [...issuerChanges(sides), ...kept];
}
