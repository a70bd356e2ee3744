/** What a token says of itself, before or without anybody verifying it. */
import { decodeProtectedHeader } from 'jose/decode/protected_header';
import { decodeJwt } from 'jose/jwt/decode';
import type { JsonObject } from '../call.ts';
import type { LiveIssuer } from '../generation/live.ts';
import { judged, wrongAlgorithm, wrongForm, type Verdict } from './claims.ts';

export function claimsOf(token: string): JsonObject | undefined {
  try {
    return decodeJwt(token) as JsonObject;
  } catch {
    return undefined;
  }
}

/** Good for finding who would verify it. */
export function issuerOf(token: string): string | undefined {
  const iss = claimsOf(token)?.['iss'];
  return typeof iss === 'string' ? iss : undefined;
}

function headerOf(token: string): ReturnType<typeof decodeProtectedHeader> {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return {};
  }
}

export const namesKey = (token: string): boolean => headerOf(token).kid !== undefined;

/** All of the verdict but the signature, which needs the keys of the issuer: one that is there counts as good. */
export function unverified(token: string, issuer: LiveIssuer, now: number): Verdict {
  const claims = claimsOf(token);
  const { alg: algorithm } = headerOf(token);
  if (!claims || algorithm === undefined) return wrongForm;
  if (!issuer.algorithms.includes(algorithm)) return wrongAlgorithm;
  return token.endsWith('.') ? wrongForm : judged(claims, issuer, now);
}
