/** Who may call: applications with their keys, the teams they belong to, and the organisations of those. */
import type { AnyPrompt, AnyProvider, Consumer, Model, Organisation, Quota, Route, Team } from './handles.ts';
import type { TokenUse } from './issuers.ts';
import { declare } from './site.ts';

/** As `headgate keys create` prints it. */
export type KeyHash = `sha256:${string}`;

export interface KeySpec {
  /** `sha256:…` of the key, as `headgate keys create` prints it. */
  hash: KeyHash;
  /** Whom to ask before it is withdrawn. */
  owner?: string;
  /** Its last day (UTC), such as `'2027-01-31'`, or the instant from which on it is refused, such as `'2027-01-31T17:00:00Z'`. Default: it does not end. */
  expires?: string;
  /** Addresses and ranges that it may come from, such as `'10.0.0.0/8'`. Default: any. */
  addresses?: readonly [string, ...string[]];
  /** Of the consumer's models, those that it opens; files and batches it opens not at all then. Default: all. */
  models?: readonly Model[];
  /** Of the consumer's routes, those that it opens. As above. */
  routes?: readonly Route[];
  /** Of the consumer's prompts, those whose models it opens. As above. */
  prompts?: readonly AnyPrompt[];
}

/** A name that a certificate carries, as openssl shows it, or the digest of the whole of it. */
export type CertificateName = `${'URI' | 'DNS' | 'email' | 'CN' | 'sha256'}:${string}`;

export interface ConsumerSpec {
  /** `sha256:…` of each key, as `headgate keys create` prints it, or more about it. Two at once allow rotation. */
  keys?: readonly (KeyHash | KeySpec)[];
  /**
   * Certificates of clients that stand for it, where the runtime is told whom to believe (`--tls-client-ca`): by an alternative
   * name, such as `'URI:spiffe://corp.example/shop'`, `'DNS:shop.corp.example'` or `'email:shop@corp.example'`; by `'CN:shop'` where
   * a certificate has none of those; or one certificate alone by its SHA-256, `'sha256:…'`. Each entry does; a key that is sent
   * along comes first.
   */
  certificates?: readonly CertificateName[];
  /** Tokens that stand for it; each entry does. */
  jwt?: readonly TokenUse[];
  /** Whose application it is: what its team may not use, it may not use either, and it draws from that team's quotas. */
  team?: Team;
  /** As with a team, where it belongs to none. */
  organisation?: Organisation;
  /** Whom to ask about it. */
  owner?: string;
  /** Addresses and ranges that it may call from, such as `'10.0.0.0/8'`. Default: any. */
  addresses?: readonly [string, ...string[]];
  /** The models it may use. Default: all that its team may use, unless `access` of the gateway is `'declared'`. */
  models?: readonly Model[];
  /** The routes it may use. As above. */
  routes?: readonly Route[];
  /** Of the models that have a prompt, it may only use those that have one of these. Default: a prompt goes with its model. */
  prompts?: readonly AnyPrompt[];
  /** The accounts that keep its files and batches: for each API the first that speaks it. Default: it may have none. */
  files?: readonly AnyProvider[];
  /** Limits that every request of this consumer draws from. */
  quotas?: readonly Quota[];
  /** Words that invariants and conditions speak of. Those of its team and organisation are its own too. */
  tags?: readonly string[];
}

/** Who calls: an application. */
export function consumer(id: string, spec: ConsumerSpec): Consumer {
  return declare(consumer, id, spec, { kind: 'consumer', id });
}

export interface OrganisationSpec {
  /** Whom to ask about it. */
  owner?: string;
  /** The models that its teams and applications may use at most. Default: all. */
  models?: readonly Model[];
  /** The routes that they may use at most. Default: all. */
  routes?: readonly Route[];
  /** The prompts whose models they may use at most; models without a prompt are not concerned. Default: all. */
  prompts?: readonly AnyPrompt[];
  /** Limits that every request of them draws from. A quota that says no `scope` and is listed by organisations only has one count for each. */
  quotas?: readonly Quota[];
  /** Words that invariants and conditions speak of. */
  tags?: readonly string[];
}

/** Several teams, and what they may use together. */
export function organisation(id: string, spec: OrganisationSpec): Organisation {
  return declare(organisation, id, spec, { kind: 'organisation', id });
}

export interface TeamSpec {
  /** What its organisation may not use, it may not use either. */
  organisation?: Organisation;
  /** Whom to ask about it. */
  owner?: string;
  /** The models that its applications may use at most. Default: all. */
  models?: readonly Model[];
  /** The routes that they may use at most. Default: all. */
  routes?: readonly Route[];
  /** The prompts whose models they may use at most; models without a prompt are not concerned. Default: all. */
  prompts?: readonly AnyPrompt[];
  /** Limits that every request of them draws from. A quota that says no `scope` and is listed by teams only has one count for each. */
  quotas?: readonly Quota[];
  /** Words that invariants and conditions speak of. */
  tags?: readonly string[];
}

/** Several applications, and what they may use together. */
export function team(id: string, spec: TeamSpec): Team {
  return declare(team, id, spec, { kind: 'team', id });
}
