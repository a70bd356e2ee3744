/** Whether a token is what it says: signed by its issuer, for us, and valid now. */
import { errors, jwtVerify, type CryptoKey, type JWTVerifyOptions } from 'jose';
import type { JsonObject } from '../call.ts';
import type { LiveIssuer } from '../generation/live.ts';
import { accepted, demandsOf, failureOfClaims, wrongAlgorithm, wrongForm, type Verdict } from './claims.ts';
import { KeysUnavailable, type KeySet } from './key-set.ts';
import { namesKey } from './read.ts';

function failureOf(error: unknown): Verdict {
  if (error instanceof KeysUnavailable)
    return { failure: 'the keys of its issuer cannot be fetched', isIssuersDoing: true };
  const verdict = failureOfClaims(error);
  if (verdict) return verdict;
  if (error instanceof errors.JOSEAlgNotAllowed) return wrongAlgorithm;
  if (error instanceof errors.JWKSNoMatchingKey) return { failure: 'its issuer has no such key' };
  return wrongForm;
}

/** Anybody can send tokens that name no key, and make us try each: real sets have two or three that fit. */
const mostTried = 8;

/** Of several keys that fit, no name tells which. What is wrong with the claims is so under the right one only. */
async function verifiedByAny(token: string, keys: AsyncIterable<CryptoKey>, demands: JWTVerifyOptions) {
  let tried = 0;
  for await (const key of keys) {
    tried += 1;
    try {
      return await jwtVerify(token, key, demands);
    } catch (error) {
      if (failureOfClaims(error) || tried === mostTried) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}

async function verified(token: string, { find }: KeySet, demands: JWTVerifyOptions) {
  try {
    return await jwtVerify(token, find, demands);
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return verifiedByAny(token, error, demands);
    throw error;
  }
}

export async function verify(
  token: string,
  issuer: LiveIssuer,
  { keys, now }: { readonly keys: KeySet; readonly now: number },
): Promise<Verdict> {
  const demands = { ...demandsOf(issuer, now), algorithms: [...issuer.algorithms] };
  const accept = async () => accepted((await verified(token, keys, demands)).payload as JsonObject, issuer, now);
  try {
    return await accept().catch(async (error: unknown) => {
      const isOther = error instanceof errors.JWSSignatureVerificationFailed && !namesKey(token);
      if (isOther && (await keys.refresh())) return accept();
      throw error;
    });
  } catch (error) {
    return failureOf(error);
  }
}
