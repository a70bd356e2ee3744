/**
 * The token that a request offline comes with: claims that are said of it, or one among its headers. Nobody has the keys of its
 * issuer here, so that its signature counts as good, and all else is judged as live.
 */
import type { JsonObject } from './call.ts';
import { claimText } from './claim-condition.ts';
import type { Tables } from './generation/generation.ts';
import type { LiveIssuer } from './generation/live.ts';
import { RequestProblem, type AskedRequest } from './request-file.ts';
import type { ClaimConditionSnapshot } from './snapshot-issuers.ts';
import type { ConsumerSnapshot, Snapshot } from './snapshot.ts';
import { verdictOn, type Verdict } from './tokens/claims.ts';
import { issuerOf, unverified } from './tokens/read.ts';
import { tokenIn } from './tokens/token-in.ts';

export interface Known {
  readonly snapshot: Snapshot;
  readonly tables: Tables;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

export interface OfflineToken {
  /** Undefined where it names nobody who is known. */
  readonly issued: { readonly issuer: LiveIssuer; readonly verdict: Verdict } | undefined;
  /** It is a real one, whose signature may be wrong. */
  readonly isFromHeaders: boolean;
}

export const consumerIn = ({ consumers }: Snapshot, name: string): ConsumerSnapshot | undefined =>
  Object.hasOwn(consumers, name) ? consumers[name] : undefined;

function named(name: string, { issuers }: Tables): LiveIssuer {
  const issuer = [...issuers.values()].find((each) => each.name === name);
  if (issuer) return issuer;
  const names = [...issuers.values()].map((each) => each.name).join(', ') || 'none';
  throw new RequestProblem([`no issuer is named '${name}': there are ${names}`]);
}

const conditionInWords = (condition: ClaimConditionSnapshot): string => {
  const [verb, values] = 'is' in condition ? ['is', condition.is] : ['includes', condition.includes];
  return `${condition.claim.join('.')} ${verb} ${values.join(' or ')}`;
};

/** What a token of this issuer has to say to stand for this consumer; empty where any does. */
export function demandsInWords(name: string, { jwt = [] }: ConsumerSnapshot, issuer: LiveIssuer): string {
  const own = issuer.consumerClaim ? [`${issuer.consumerClaim.join('.')} is ${name}`] : [];
  const uses = jwt.filter((use) => use.issuer === issuer.name);
  return uses.map((use) => [...own, ...(use.where ?? []).map(conditionInWords)].join(' and ')).join('; or ');
}

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(' and ');

/** Why a token with these claims is not what `consumer` comes with: live nobody but its claims says whom it stands for. */
function contradiction(consumer: string, issuers: readonly LiveIssuer[], { snapshot }: Known, met: readonly string[]) {
  const takes = consumerIn(snapshot, consumer);
  if (!takes?.jwt?.length)
    return `consumer '${consumer}' takes no tokens, so that no claims come with it: leave "claims" out, or name another consumer`;
  if (met.length > 0) {
    const whom = `the claims stand for ${met.length > 1 ? 'several consumers: ' : ''}${quoted(met)}`;
    return met.includes(consumer)
      ? `${whom}, and live such a token is refused: add what tells '${consumer}' from the others`
      : `${whom}, not for '${consumer}': leave "consumer" out, or say what its tokens say`;
  }
  const ways = issuers.map((issuer) => {
    const where = demandsInWords(consumer, takes, issuer);
    return `'${issuer.name}'${where === '' ? '' : ` where ${where}`}`;
  });
  return ways.length > 0
    ? `the claims do not stand for '${consumer}', which takes tokens of ${ways.join(', and of ')}: say so in "claims"`
    : `the claims do not stand for '${consumer}', which takes no tokens of the issuer that "iss" names`;
}

/** Of a token that a consumer is said to come with. Throws `RequestProblem` where it would stand for another, or for nobody. */
function ofConsumer(consumer: string, claims: JsonObject, known: Known): OfflineToken['issued'] {
  const { tables, snapshot, now } = known;
  const taken = new Set((consumerIn(snapshot, consumer)?.jwt ?? []).map(({ issuer }) => issuer));
  const iss = claims['iss'];
  const issuers = [...tables.issuers.values()].filter(
    ({ name, url }) => taken.has(name) && (iss === undefined || iss === url),
  );
  const met = new Set<string>();
  // Refused as live, with the reason.
  let refused: OfflineToken['issued'];
  for (const issuer of issuers) {
    const verdict = verdictOn(claims, issuer, now);
    if (!('claims' in verdict)) {
      refused ??= { issuer, verdict };
      continue;
    }
    const names = tables.consumersByClaims(issuer, verdict).map(({ name }) => name);
    if (names.length === 1 && names[0] === consumer) return { issuer, verdict };
    for (const name of names) met.add(name);
  }
  if (refused && met.size === 0) return refused;
  throw new RequestProblem([contradiction(consumer, issuers, known, [...met])]);
}

/** Throws `RequestProblem` for claims and a consumer that do not go together, and for an issuer that is not there. */
export function tokenOf(asked: AskedRequest, known: Known): OfflineToken | undefined {
  const { consumer, claims, issuer: name, headers = {} } = asked;
  const { tables, now } = known;
  if (claims) {
    if (consumer !== undefined) return { issued: ofConsumer(consumer, claims, known), isFromHeaders: false };
    const issuer = name === undefined ? tables.issuers.get(claimText(claims['iss']) ?? '') : named(name, tables);
    return { issued: issuer && { issuer, verdict: verdictOn(claims, issuer, now) }, isFromHeaders: false };
  }
  if (consumer !== undefined) return undefined;
  const token = tokenIn(
    Object.fromEntries(Object.entries(headers).map(([each, value]) => [each.toLowerCase(), value])),
  );
  if (token === undefined) return undefined;
  const issuer = tables.issuers.get(issuerOf(token) ?? '');
  return { issued: issuer && { issuer, verdict: unverified(token, issuer, now) }, isFromHeaders: true };
}
