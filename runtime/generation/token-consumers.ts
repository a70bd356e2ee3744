/** Which consumers a verified token stands for: those whose conditions its claims meet. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../call.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { ClaimConditionSnapshot, IssuerSnapshot, TokenUseSnapshot } from '../snapshot-issuers.ts';
import { keyId } from './live-consumer.ts';
import type { LiveConsumer, LiveIssuer, VerifiedToken } from './live.ts';
import type { Directory } from './on-demand.ts';

export function liveIssuer(name: string, issuer: IssuerSnapshot): LiveIssuer {
  const { url, audience, jwks, algorithms, clockSkew, consumerClaim } = issuer;
  return { id: canonicalJson(issuer), name, url, audience, jwks, algorithms, clockSkewMs: clockSkew, consumerClaim };
}

function claimAt(claims: JsonObject, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) =>
      typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
        ? (value as JsonObject)[name]
        : undefined,
    claims,
  );
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${value}` : undefined;

function isMet(condition: ClaimConditionSnapshot, claims: JsonObject): boolean {
  const value = claimAt(claims, condition.claim);
  if ('is' in condition) {
    const text = textOf(value);
    return text !== undefined && condition.is.includes(text);
  }
  const members: readonly unknown[] = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  return members.some((member) => condition.includes.includes(textOf(member) ?? ''));
}

interface Candidate {
  /** Of the consumer. */
  readonly name: string;
  readonly conditions: readonly ClaimConditionSnapshot[];
}

/** The same for one claim with one value, whoever asks for it. */
const placeOf = (claim: readonly string[], value: string): string => JSON.stringify([claim, value]);

/** Of one issuer: found by a claim with a certain value where a condition asks for one, so that thousands cost no more than few. */
class Candidates {
  readonly #byValue = new Map<string, Candidate[]>();
  readonly #claims = new Map<string, readonly string[]>();
  readonly #others: Candidate[] = [];

  add(candidate: Candidate): void {
    const first = candidate.conditions.find((condition) => 'is' in condition);
    if (!first || !('is' in first)) return void this.#others.push(candidate);
    this.#claims.set(JSON.stringify(first.claim), first.claim);
    for (const value of first.is) {
      const place = placeOf(first.claim, value);
      const known = this.#byValue.get(place);
      if (known) known.push(candidate);
      else this.#byValue.set(place, [candidate]);
    }
  }

  names(claims: JsonObject): readonly string[] {
    const near = [...this.#claims.values()].flatMap((claim) => {
      const value = textOf(claimAt(claims, claim));
      return value === undefined ? [] : (this.#byValue.get(placeOf(claim, value)) ?? []);
    });
    const met = [...near, ...this.#others].filter(({ conditions }) => conditions.every((each) => isMet(each, claims)));
    return [...new Set(met.map(({ name }) => name))];
  }
}

export class TokenConsumers {
  readonly #byIssuer = new Map<string, Candidates>();
  readonly #consumers: Directory<LiveConsumer>;

  constructor(consumers: Directory<LiveConsumer>) {
    this.#consumers = consumers;
  }

  add(name: string, { name: issuer, consumerClaim }: LiveIssuer, { where = [] }: TokenUseSnapshot): void {
    const named = consumerClaim ? [{ claim: [...consumerClaim], is: [name] }] : [];
    const candidates = this.#byIssuer.get(issuer) ?? new Candidates();
    this.#byIssuer.set(issuer, candidates);
    candidates.add({ name, conditions: [...named, ...where] });
  }

  /** More than one is a mistake that nobody's token may profit from. */
  of(issuer: LiveIssuer, { claims, expiresAt }: VerifiedToken): readonly LiveConsumer[] {
    const names = this.#byIssuer.get(issuer.name)?.names(claims) ?? [];
    const subject = createHash('sha256')
      .update(JSON.stringify([issuer.url, claims['sub']]))
      .digest('hex');
    const credential = { id: keyId(subject), expiresAt, addresses: undefined };
    return names.flatMap((name) => {
      const consumer = this.#consumers.get(name);
      return consumer ? { ...consumer, credential } : [];
    });
  }
}
