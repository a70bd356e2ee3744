/** Whether a token is what it says: signed by its issuer, for us, and valid now. */
import { decodeJwt, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { JsonObject } from '../call.ts';
import type { LiveIssuer, VerifiedToken } from '../generation/live.ts';
import { KeysUnavailable } from './key-set.ts';

/** Why a token is refused, in words that repeat nothing of it. */
export type Verdict = VerifiedToken | { readonly failure: string; readonly isIssuersDoing?: true };

/** The `iss` of a token that nobody has verified: good for finding who would. */
export function issuerOf(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

function failureOf(error: unknown): Verdict {
  if (error instanceof KeysUnavailable)
    return { failure: 'the keys of its issuer cannot be fetched', isIssuersDoing: true };
  if (error instanceof errors.JWTExpired) return { failure: 'it has expired' };
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim } = error;
    if (claim === 'nbf' || claim === 'iat') return { failure: 'it is not valid yet' };
    if (claim === 'aud') return { failure: 'it is for another audience' };
    return { failure: 'a claim that every token needs is absent or wrong' };
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return { failure: 'its algorithm is not allowed' };
  if (error instanceof errors.JWKSNoMatchingKey) return { failure: 'its issuer has no such key' };
  return { failure: 'its signature or its form is wrong' };
}

export async function verify(
  token: string,
  issuer: LiveIssuer,
  { find, now }: { readonly find: JWTVerifyGetKey; readonly now: number },
): Promise<Verdict> {
  try {
    const { payload } = await jwtVerify(token, find, {
      issuer: issuer.url,
      audience: [...issuer.audience],
      algorithms: [...issuer.algorithms],
      clockTolerance: issuer.clockSkewMs / 1_000,
      currentDate: new Date(now),
      requiredClaims: ['exp'],
    });
    const { iat, exp = 0 } = payload;
    if (iat !== undefined && iat * 1_000 > now + issuer.clockSkewMs) return { failure: 'it is not valid yet' };
    return { claims: payload as JsonObject, expiresAt: exp * 1_000 + issuer.clockSkewMs };
  } catch (error) {
    return failureOf(error);
  }
}
