/** Who may call a generation: consumers by the digests of their keys, by names of their certificates, and by the claims of tokens whose issuers are believed. */
import type { Builder } from './builder.ts';
import { CertificateNames } from './certificate-names.ts';
import type { Pace } from '../pace.ts';
import type { PackedSnapshot } from '../packed.ts';
import type { KeyExpiry, Tables } from './generation.ts';
import { credentialOf } from './live-consumer.ts';
import type { LiveIssuer } from './live.ts';
import { OnDemand, positionsOf } from './on-demand.ts';
import type { SharedParts } from './shared-parts.ts';
import { liveIssuer, TokenConsumers } from './token-consumers.ts';

interface Site {
  readonly snapshot: PackedSnapshot;
  readonly parts: SharedParts;
  readonly build: Builder;
  readonly pace: Pace;
}

type Callers = Pick<
  Tables,
  'consumersByKey' | 'consumersByCertificate' | 'keyExpiries' | 'issuers' | 'consumersByClaims'
>;

/** By the `iss` of their tokens: two of the same would be two answers to whether a token is good. */
function issuersOf({ snapshot, parts }: Site): ReadonlyMap<string, LiveIssuer> {
  const issuers = new Map<string, LiveIssuer>();
  for (const [name, issuer] of snapshot.issuers) {
    const other = issuers.get(issuer.url);
    if (other) parts.problem(`issuers.${name}`, `has the url of issuer '${other.name}'`);
    issuers.set(issuer.url, liveIssuer(name, issuer));
  }
  return issuers;
}

export async function callersOf(site: Site): Promise<Callers> {
  const { parts, build, pace } = site;
  const { consumers } = site.snapshot;
  const issuers = issuersOf(site);
  const issuersByName = new Map([...issuers.values()].map((issuer) => [issuer.name, issuer]));
  const byName = new OnDemand(await positionsOf(consumers, pace), (at) => build.consumer(...consumers.at(at), ''));
  const tokenConsumers = new TokenConsumers(byName);
  const certificates = new CertificateNames(site);
  const positions = new Map<string, number>();
  const keyExpiries: KeyExpiry[] = [];
  const keys: { readonly digest: string; readonly position: number }[] = [];
  let position = 0;
  await pace.each(consumers, ([name, consumer]) => {
    build.consumer(name, consumer, '');
    for (const key of consumer.keys) {
      const digest = key.slice('sha256:'.length);
      const other = keys[positions.get(digest) ?? -1]?.position;
      if (other !== undefined && other !== position)
        parts.problem(`consumers.${name}`, `shares a key with consumer '${consumers.at(other)[0]}'`);
      positions.set(digest, keys.length);
      keys.push({ digest, position });
      const { id, expiresAt } = credentialOf(digest, consumer.keyTerms?.[key]);
      if (expiresAt !== undefined) keyExpiries.push({ consumer: name, key: id, at: expiresAt });
    }
    for (const use of consumer.jwt ?? []) {
      const issuer = issuersByName.get(use.issuer);
      if (issuer) tokenConsumers.add(name, issuer, use);
      else parts.problem(`consumers.${name}`, `takes tokens of an unknown issuer '${use.issuer}'`);
    }
    certificates.add(name, consumer.certificates, position);
    position += 1;
  });
  const consumersByKey = new OnDemand(positions, (at) => {
    const { digest = '', position: owner = 0 } = keys[at] ?? {};
    return build.consumer(...consumers.at(owner), digest);
  });
  return {
    consumersByKey,
    consumersByCertificate: certificates.directory(),
    keyExpiries,
    issuers,
    consumersByClaims: (issuer, token) => tokenConsumers.of(issuer, token),
  };
}
