/**
 * Who asks, of a request that nobody sent: what would be known of it, had it come with the key or the token that is meant. Whom that
 * stands for, and what it opens, is found out as live.
 */
import type { RequestHead } from './door.ts';
import { addressRange, AddressRanges } from './address-ranges.ts';
import { keyId } from './generation/live-consumer.ts';
import { consumerIn, demandsInWords, tokenOf, type Known } from './offline-token.ts';
import { callerOf, digestAmong, noteDigest, noteVerdicts } from './pipeline/credentials.ts';
import { RequestProblem, type AskedRequest } from './request-file.ts';
import type { ConsumerSnapshot, Snapshot } from './snapshot.ts';
import type { Step } from './trace.ts';

const shown = (digest: string): string => `sha256:${keyId(digest)}…`;

const digestsOf = (consumer: ConsumerSnapshot | undefined): readonly string[] =>
  (consumer?.keys ?? []).map((hash) => hash.slice('sha256:'.length));

/** The one that the request itself shows. */
function digestShown({ headers = {} }: AskedRequest, consumer: ConsumerSnapshot): string | undefined {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return digestAmong(Object.fromEntries(given) as Record<string, string>, digestsOf(consumer));
}

/** Throws `RequestProblem` where none is meant, or several may be. */
function digestOf(asked: AskedRequest, snapshot: Snapshot): string | undefined {
  const { consumer = '', key } = asked;
  if (key === undefined) return undefined;
  const digests = digestsOf(consumerIn(snapshot, consumer));
  const beginning = key.replace(/^sha256:/, '');
  const [meant, ...others] = digests.filter((digest) => digest.startsWith(beginning));
  if (meant !== undefined && others.length === 0) return meant;
  const list = digests.map(shown).join(', ') || 'none';
  // Whoever gave the key itself by mistake must not find it in a log.
  const said = /^[0-9a-f]*$/i.test(beginning) ? `'${key}'` : 'that (the hash is meant, never the key itself)';
  const which = meant === undefined ? `no key whose hash begins with ${said}` : `several keys like ${said}`;
  throw new RequestProblem([`consumer '${consumer}' has ${which}: it has ${list}`]);
}

/** In all of these: of ranges that overlap, one is inside of the other, and so is the address that it is written with. */
function addressIn(ranges: readonly (readonly string[] | undefined)[]): string | undefined {
  const bounds = ranges.filter((each) => each !== undefined);
  const inAll = (address: string) => bounds.every((each) => new AddressRanges(each).has(address));
  return bounds
    .flat()
    .flatMap((text) => addressRange(text)?.address ?? [])
    .find(inAll);
}

/** What is sent as a key. Of one that is known by its digest only, and of a token that nobody signed, nobody has more than a word for it. */
export function keyFor({ consumer, key, claims }: AskedRequest, keyOf: (name: string) => string): string | undefined {
  if (key !== undefined || claims) return 'offline';
  return consumer === undefined ? undefined : keyOf(consumer);
}

/** Notes who sent `request`, and says from where. Throws `RequestProblem` for somebody who cannot be. */
export function noteCaller(asked: AskedRequest, { headers }: RequestHead, known: Known): string | undefined {
  const { snapshot, tables } = known;
  const digest = digestOf(asked, snapshot);
  if (digest !== undefined) noteDigest(headers, digest);
  const token = tokenOf(asked, known);
  if (token) noteVerdicts(headers, new Map(token.issued && [[token.issued.issuer.id, token.issued.verdict]]));
  if (asked.address !== undefined) return asked.address;
  const caller = callerOf(tables, headers);
  const consumer = 'consumer' in caller ? consumerIn(snapshot, caller.consumer.name) : undefined;
  return addressIn([
    consumer?.addresses,
    digest === undefined ? undefined : consumer?.keyTerms?.[`sha256:${digest}`]?.addresses,
  ]);
}

/** For who finds that claims stand for nobody, or for several. */
export function meantBy(asked: AskedRequest, known: Known): readonly string[] {
  const { issuer, verdict } = tokenOf(asked, known)?.issued ?? {};
  if (!issuer || !verdict || !('claims' in verdict)) return [];
  const { snapshot, tables } = known;
  const met = tables.consumersByClaims(issuer, verdict).map(({ name }) => name);
  const takes = ({ jwt = [] }: ConsumerSnapshot): boolean => jwt.some((use) => use.issuer === issuer.name);
  const others = () => Object.entries(snapshot.consumers).flatMap(([name, consumer]) => (takes(consumer) ? name : []));
  return met.length > 0 ? met : others();
}

const list = (names: readonly string[]): string => names.join(', ') || 'none';

function keyInWords(digest: string, { keyTerms }: ConsumerSnapshot): string {
  const { expires, addresses, models, routes, prompts, owner } = keyTerms?.[`sha256:${digest}`] ?? {};
  const terms = [
    owner === undefined ? [] : `of ${owner}`,
    expires === undefined ? [] : `until ${expires}`,
    addresses === undefined ? [] : `from ${list(addresses)}`,
    models === undefined ? [] : `for models ${list(models)}`,
    routes === undefined ? [] : `for routes ${list(routes)}`,
    prompts === undefined ? [] : `for prompts ${list(prompts)}`,
  ].flat();
  return [shown(digest), ...terms].join(', ');
}

/** What the key or the token that is meant tells of whom it stands for; nothing where a consumer is asked for by name. */
export function stepsOfCaller(asked: AskedRequest, name: string | undefined, known: Known): Step[] {
  const { snapshot, tables } = known;
  const step = (stage: string, said: string, object?: string): Step => {
    const at = object === undefined ? undefined : tables.sourceOf(object);
    return { stage, said, ...(object !== undefined && { object }), ...(at !== undefined && { at }) };
  };
  const token = tokenOf(asked, known);
  const issuer = token?.issued?.issuer;
  const unsure = token?.isFromHeaders ? '; its signature is not verified offline' : '';
  const consumer = name === undefined ? undefined : consumerIn(snapshot, name);
  if (name === undefined || !consumer)
    return issuer && unsure ? [step('token', `of ${issuer.name}${unsure}`, `issuers.${issuer.name}`)] : [];
  const digest = digestOf(asked, snapshot) ?? digestShown(asked, consumer);
  if (digest === undefined && !issuer) return [];
  const where = issuer ? demandsInWords(name, consumer, issuer) : '';
  const { team, organisation, tags = [] } = consumer;
  const words = [
    ...(team === undefined ? [] : [`team ${team}`]),
    ...(organisation === undefined ? [] : [`organisation ${organisation}`]),
  ];
  const group = team === undefined ? organisation && `organisations.${organisation}` : `teams.${team}`;
  const own = `consumers.${name}`;
  return [
    ...(digest === undefined ? [] : [step('key', keyInWords(digest, consumer), own)]),
    ...(issuer ? [step('token', `of ${issuer.name}${where === '' ? '' : `, where ${where}`}${unsure}`, own)] : []),
    ...(group === undefined ? [] : [step('belongs', `to ${words.join(', of ')}`, group)]),
    ...(tags.length === 0 ? [] : [step('tags', tags.join(', '), own)]),
  ];
}
