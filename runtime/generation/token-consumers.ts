/** Which consumers a verified token stands for: those whose conditions its claims meet. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '../call.ts';
import { canonicalJson } from '../canonical-json.ts';
import { claimAt, claimText, meetsClaim } from '../claim-condition.ts';
import type { ClaimConditionSnapshot, IssuerSnapshot, TokenUseSnapshot } from '../snapshot-issuers.ts';
import { keyId } from './live-consumer.ts';
import type { LiveConsumer, LiveIssuer, VerifiedToken } from './live.ts';
import type { Directory } from './on-demand.ts';

export function liveIssuer(name: string, issuer: IssuerSnapshot): LiveIssuer {
  const { url, audience, jwks, algorithms, clockSkew, consumerClaim } = issuer;
  return { id: canonicalJson(issuer), name, url, audience, jwks, algorithms, clockSkewMs: clockSkew, consumerClaim };
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
      const value = claimText(claimAt(claims, claim));
      return value === undefined ? [] : (this.#byValue.get(placeOf(claim, value)) ?? []);
    });
    const met = [...near, ...this.#others].filter(({ conditions }) =>
      conditions.every((each) => meetsClaim(each, claims)),
    );
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
    const credential = { id: keyId(subject), expiresAt, addresses: undefined, claims };
    return names.flatMap((name) => {
      const consumer = this.#consumers.get(name);
      return consumer ? { ...consumer, credential } : [];
    });
  }
}
