/** Whether what a token says holds: by its issuer, for us, and valid now. Whether it may say so, its signature proves elsewhere. */
import { JWTClaimValidationFailed, JWTExpired } from 'jose/errors';
import { UnsecuredJWT } from 'jose/jwt/unsecured';
import type { JsonObject } from '../call.ts';
import type { LiveIssuer, VerifiedToken } from '../generation/live.ts';

/** Why a token is refused, in words that repeat nothing of it. */
export type Verdict = VerifiedToken | { readonly failure: string; readonly isIssuersDoing?: true };

export const wrongForm: Verdict = { failure: 'its signature or its form is wrong' };
export const wrongAlgorithm: Verdict = { failure: 'its algorithm is not allowed' };

export const demandsOf = ({ url, audience, clockSkewMs }: LiveIssuer, now: number) => ({
  issuer: url,
  audience: [...audience],
  clockTolerance: clockSkewMs / 1_000,
  currentDate: new Date(now),
  requiredClaims: ['exp'],
});

/** Of claims that meet the demands. */
export function accepted(
  claims: JsonObject & { readonly iat?: number; readonly exp?: number },
  { clockSkewMs }: LiveIssuer,
  now: number,
): Verdict {
  const { iat, exp = 0 } = claims;
  if (iat !== undefined && iat * 1_000 > now + clockSkewMs) return { failure: 'it is not valid yet' };
  return { claims, expiresAt: exp * 1_000 + clockSkewMs };
}

/** Undefined where it is not about claims. */
export function failureOfClaims(error: unknown): Verdict | undefined {
  if (error instanceof JWTExpired) return { failure: 'it has expired' };
  if (!(error instanceof JWTClaimValidationFailed)) return undefined;
  const { claim } = error;
  if (claim === 'nbf' || claim === 'iat') return { failure: 'it is not valid yet' };
  if (claim === 'aud') return { failure: 'it is for another audience' };
  return { failure: 'a claim that every token needs is absent or wrong' };
}

/** Of claims that nobody has to vouch for. */
export function judged(claims: JsonObject, issuer: LiveIssuer, now: number): Verdict {
  try {
    const { payload } = UnsecuredJWT.decode(new UnsecuredJWT(claims).encode(), demandsOf(issuer, now));
    return accepted(payload as JsonObject, issuer, now);
  } catch (error) {
    const verdict = failureOfClaims(error);
    if (verdict) return verdict;
    throw error;
  }
}

const longEnoughSeconds = 3_600;

/** As if a token with these claims had come, well signed. What every token has is taken to be right where nothing is said of it. */
export function verdictOn(said: JsonObject, issuer: LiveIssuer, now: number): Verdict {
  const usual = { iss: issuer.url, aud: issuer.audience[0] ?? '', exp: Math.floor(now / 1_000) + longEnoughSeconds };
  return judged({ ...usual, ...said }, issuer, now);
}
