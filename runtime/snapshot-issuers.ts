/** The part of the snapshot's schema that says whose tokens are taken, and which consumer a token stands for. */
import { z } from 'zod';
import { claimCondition, claimPath, claimValues } from './claim-condition.ts';
import { duration } from './duration.ts';
import { objectName } from './snapshot-names.ts';

/** Signed with a key pair each: with a shared secret, whoever verifies could sign. */
export const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

const httpsOrLoopback = z
  .string()
  .max(2_000)
  .regex(
    /^(https:\/\/|http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|\/|$))[^\s?#]*$/,
    'write an https:// address without query (http:// only to this machine)',
  );

export const tokenUse = z.strictObject({ issuer: objectName, where: z.array(claimCondition(z)).max(16).optional() });

export const issuer = z.strictObject({
  /** Exactly the `iss` of its tokens. */
  url: httpsOrLoopback,
  /** One of these is in `aud`. */
  audience: claimValues(z, 'write a text, or a list of texts'),
  /** Its public keys; absent: where its OpenID configuration says. */
  jwks: httpsOrLoopback.optional(),
  algorithms: z.array(z.enum(tokenAlgorithms)).min(1).max(tokenAlgorithms.length).default(['RS256', 'ES256', 'EdDSA']),
  clockSkew: duration(z, 0, 300_000).default(30_000),
  /** The claim that holds the name of the consumer. */
  consumerClaim: claimPath(z).optional(),
});

export type TokenUseSnapshot = z.output<typeof tokenUse>;
export type IssuerSnapshot = z.output<typeof issuer>;
export type { ClaimConditionSnapshot } from './claim-condition.ts';
