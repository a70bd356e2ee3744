/** Whether a token is what it says: signed by its issuer, for us, and valid now. */
import { decodeJwt, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { JsonObject } from '../call.ts';
import type { LiveIssuer } from '../generation/live.ts';
import { accepted, demandsOf, failureOfClaims, type Verdict } from './claims.ts';
import { KeysUnavailable } from './key-set.ts';

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
  const verdict = failureOfClaims(error);
  if (verdict) return verdict;
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
      ...demandsOf(issuer, now),
      algorithms: [...issuer.algorithms],
    });
    return accepted(payload as JsonObject, issuer, now);
  } catch (error) {
    return failureOf(error);
  }
}
