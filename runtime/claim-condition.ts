/** Conditions on the claims of a token: which consumer it stands for, and which targets its requests may come to. */
import type { JsonObject } from './call.ts';
import type { OutputOf, Zod } from './zod.ts';

/** A name, or those on the way to it. */
export const claimPath = (z: Zod) => z.array(z.string().min(1).max(200)).min(1).max(8);
/** `wrong` is said of what is no list. */
export const claimValues = (z: Zod, wrong?: string) => z.array(z.string().min(1).max(500), wrong).min(1).max(100);

export const claimCondition = (z: Zod) =>
  z.union([
    /** A text, number or truth value that is one of these. */
    z.strictObject({ claim: claimPath(z), is: claimValues(z) }),
    /** A list, or words with spaces between them, with one of these in it. */
    z.strictObject({ claim: claimPath(z), includes: claimValues(z) }),
  ]);

export type ClaimConditionSnapshot = OutputOf<typeof claimCondition>;

export function claimAt(claims: JsonObject, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
        ? (value as JsonObject)[name]
        : undefined,
    claims,
  );
}

export const claimText = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : undefined;

const membersOf = (value: unknown): readonly unknown[] =>
  typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];

/** Of a token with these claims; a claim that is absent meets nothing. */
export function meetsClaim(condition: ClaimConditionSnapshot, claims: JsonObject): boolean {
  const value = claimAt(claims, condition.claim);
  if ('is' in condition) {
    const text = claimText(value);
    return text !== undefined && condition.is.includes(text);
  }
  return membersOf(value).some((member) => condition.includes.includes(claimText(member) ?? ''));
}

/** Claims that meet all these, beside what they say already. */
export function claimsThatMeet(conditions: readonly ClaimConditionSnapshot[], said: JsonObject = {}): JsonObject {
  const claims: Record<string, unknown> = structuredClone(said);
  for (const condition of conditions) {
    const [last = '', ...above] = condition.claim.toReversed();
    let place = claims;
    for (const name of above.toReversed()) {
      const inner = Object.hasOwn(place, name) ? place[name] : undefined;
      const next: Record<string, unknown> =
        typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
      place[name] = next;
      place = next;
    }
    place[last] = 'is' in condition ? condition.is[0] : [...membersOf(place[last]), condition.includes[0]];
  }
  return claims as JsonObject;
}
