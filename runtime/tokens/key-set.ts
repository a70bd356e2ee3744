/**
 * The public keys of one issuer: fetched when they are first needed, kept, fetched anew before they are old and when a token names
 * one that is not among them. While the issuer is down, the last ones serve on for a day.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { causeInWords, type Log } from '../log.ts';

/** From then on they are fetched anew, beside the requests. */
const freshMs = 600_000;
/** From then on they are no longer believed. */
const longestMs = 86_400_000;
/** Between two tries: anybody can name keys that are not there. */
const pauseMs = 30_000;
/** Between two tries as long as there is nothing. */
const coldPauseMs = 3_000;
const timeoutMs = 5_000;
const maxBytes = 262_144;

export class KeysUnavailable extends Error {}

export interface KeySource {
  /** The `iss`. */
  readonly url: string;
  readonly jwks: string | undefined;
}

export interface Surroundings {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly log: Log;
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(`it answered ${response.status}`);
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body as AsyncIterable<Uint8Array>) {
    size += piece.byteLength;
    if (size > maxBytes) throw new Error(`its answer has more than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return JSON.parse(Buffer.concat(pieces).toString()) as unknown;
}

/** Where an issuer says that its keys are. Another's configuration is no answer. */
async function discover(url: string): Promise<string> {
  const said = (await fetchJson(`${url.replace(/\/$/, '')}/.well-known/openid-configuration`)) as {
    readonly issuer?: unknown;
    readonly jwks_uri?: unknown;
  } | null;
  const at = said?.jwks_uri;
  if (said?.issuer !== url) throw new Error('its configuration is that of another issuer');
  if (typeof at !== 'string' || !URL.canParse(at)) throw new Error('its configuration names no jwks_uri');
  if (new URL(at).protocol !== 'https:' && new URL(at).protocol !== new URL(url).protocol)
    throw new Error('its keys are offered without TLS');
  return at;
}

interface Known {
  readonly find: JWTVerifyGetKey;
  /** Among those that have no `kid`: they may be meant by any. */
  readonly findUnnamed: JWTVerifyGetKey;
  readonly at: number;
}

/** Throws where it is no set of keys. */
function opened(set: JSONWebKeySet, at: number): Known {
  const find = createLocalJWKSet(set);
  const unnamed = createLocalJWKSet({ keys: set.keys.filter(({ kid }) => kid === undefined) });
  return { find, findUnnamed: ({ kid: _, ...header }, token) => unnamed({ ...header }, token), at };
}

const firstOf = async ({ find, findUnnamed }: Known, ...asked: Parameters<JWTVerifyGetKey>) => {
  try {
    return await find(...asked);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return findUnnamed(...asked);
    throw error;
  }
};

export class KeySet {
  readonly #source: KeySource;
  readonly #around: Surroundings;
  #keys: Known | undefined;
  #triedAt = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(source: KeySource, around: Surroundings) {
    this.#source = source;
    this.#around = around;
  }

  /** Throws `KeysUnavailable` where there are none, or what jose says where none fits, or several do. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = await this.#known();
    try {
      return await known.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.#fetched();
      const now = this.#keys ?? known;
      return now === known ? now.findUnnamed(header, token) : firstOf(now, header, token);
    }
  };

  /** For whom none of the keys was the right one, and no name tells that it is another: whether there may be others now. */
  async refresh(): Promise<boolean> {
    const before = this.#keys;
    await this.#fetched();
    return this.#keys !== before;
  }

  async #known() {
    const age = () => (this.#keys ? this.#around.now() - this.#keys.at : Infinity);
    if (age() >= longestMs) await this.#fetched();
    else if (age() >= freshMs) void this.#fetched();
    if (!this.#keys || age() >= longestMs) throw new KeysUnavailable('the keys of the issuer are not there');
    return this.#keys;
  }

  /** One fetch at a time, for however many wait for it. Never rejects. */
  #fetched(): Promise<void> {
    if (this.#fetching) return this.#fetching;
    const now = this.#around.now();
    if (Math.abs(now - this.#triedAt) < (this.#keys ? pauseMs : coldPauseMs)) return Promise.resolve();
    this.#triedAt = now;
    this.#fetching = this.#fetch().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { url, jwks } = this.#source;
    try {
      const set = (await fetchJson(jwks ?? (await discover(url)))) as JSONWebKeySet;
      this.#keys = opened(set, this.#around.now());
    } catch (error) {
      this.#around.log.warn(
        { event: 'issuer_keys_failed', issuer: url, cause: causeInWords(error) },
        'no keys of an issuer',
      );
    }
  }
}
