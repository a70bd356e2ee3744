/** Whether a token is what it says: signed by its issuer, for us, and valid now. */
import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { JsonObject } from '../call.ts';
import type { LiveIssuer } from '../generation/live.ts';
import { accepted, demandsOf, failureOfClaims, wrongAlgorithm, wrongForm, type Verdict } from './claims.ts';
import { KeysUnavailable } from './key-set.ts';

function failureOf(error: unknown): Verdict {
  if (error instanceof KeysUnavailable)
    return { failure: 'the keys of its issuer cannot be fetched', isIssuersDoing: true };
  const verdict = failureOfClaims(error);
  if (verdict) return verdict;
  if (error instanceof errors.JOSEAlgNotAllowed) return wrongAlgorithm;
  if (error instanceof errors.JWKSNoMatchingKey) return { failure: 'its issuer has no such key' };
  return wrongForm;
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
