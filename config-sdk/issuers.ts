/** Whose tokens are taken in place of keys, and which consumer a token stands for. */
import type { Duration, Issuer } from './handles.ts';
import { declare } from './site.ts';

type Address = `http${'s' | ''}://${string}`;
type Texts = readonly [string, ...string[]];

export interface IssuerSpec {
  /** Exactly the `iss` of its tokens. */
  url: Address;
  /** Who its tokens must be for: this, or one of these, stands in their `aud`. */
  audience: string | Texts;
  /** Where its public keys are (JWKS). Default: where its OpenID configuration says. */
  jwks?: Address;
  /** Ways of signing that are taken. Default `RS256`, `ES256` and `EdDSA`; shared secrets and `none` never are. */
  algorithms?: readonly (
    | 'RS256'
    | 'RS384'
    | 'RS512'
    | 'PS256'
    | 'PS384'
    | 'PS512'
    | 'ES256'
    | 'ES384'
    | 'ES512'
    | 'EdDSA'
  )[];
  /** How far its clock may be from ours. Default `'30s'`, at most `'5m'`. */
  clockSkew?: Duration;
  /** The claim that holds the name of the consumer, or the names on the way to it: a token stands for no other then. */
  consumerClaim?: Texts;
}

/** Somebody whose tokens (JWT, OpenID Connect) are taken in place of keys. */
export function issuer(id: string, spec: IssuerSpec): Issuer {
  return declare(issuer, id, spec, { kind: 'issuer', id });
}

export type ClaimCondition =
  | { readonly claim: readonly string[]; readonly is: readonly string[] }
  | { readonly claim: readonly string[]; readonly includes: readonly string[] };

export interface TokenUse {
  issuer: Issuer;
  /** What its claims must say, such as `claim('groups').includes('shop')`; all must hold. Default: every token of the issuer will do. */
  where?: readonly ClaimCondition[];
}

export interface Claim {
  /** The claim is one of these. Numbers and truth values are written as texts. */
  readonly is: (...values: Texts) => ClaimCondition;
  /** The claim is a list, or words with spaces between them, and one of these is in it. */
  readonly includes: (...values: Texts) => ClaimCondition;
}

/** A claim of a token, or the names on the way to it: `claim('realm_access', 'roles').includes('shop')`. */
export function claim(...path: Texts): Claim {
  return {
    is: (...values) => ({ claim: path, is: values }),
    includes: (...values) => ({ claim: path, includes: values }),
  };
}
