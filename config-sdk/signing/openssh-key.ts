/** Private keys as `ssh-keygen` writes them, after PROTOCOL.key of OpenSSH; one key, without a passphrase. */
import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { curves, Malformed, SshReader, type Curve } from '@headgate/runtime/artifact';

const magic = 'openssh-key-v1\0';
const armored = /^-----BEGIN OPENSSH PRIVATE KEY-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END OPENSSH PRIVATE KEY-----\s*$/;

const url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

/** Node wants what follows from the others written out (RFC 7518, section 6.3.2). */
function rsaKey(reader: SshReader): JsonWebKey {
  const [n, e, d] = [reader.positive('modulus'), reader.positive('exponent'), reader.positive('number')];
  const [qi, p, q] = [reader.positive('coefficient'), reader.positive('prime'), reader.positive('prime')];
  const number = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);
  const remainder = (prime: Buffer): string => {
    const hex = (number(d) % (number(prime) - 1n)).toString(16);
    return url(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'));
  };
  const own = { n: url(n), e: url(e), d: url(d), p: url(p), q: url(q), qi: url(qi) };
  return { kty: 'RSA', ...own, dp: remainder(p), dq: remainder(q) };
}

function curveKey(reader: SshReader, { ssh, jwk, bytes }: Curve): JsonWebKey {
  if (reader.name('curve') !== ssh) throw new Malformed('its curve is not that of its type');
  const point = reader.string('point');
  if (point.length !== 1 + 2 * bytes) throw new Malformed('its point does not fit its curve');
  const d = reader.positive('number');
  if (d.length > bytes) throw new Malformed('its number does not fit its curve');
  const padded = Buffer.concat([Buffer.alloc(bytes - d.length), d]);
  return {
    kty: 'EC',
    crv: jwk,
    x: url(point.subarray(1, 1 + bytes)),
    y: url(point.subarray(1 + bytes)),
    d: url(padded),
  };
}

function ed25519Key(reader: SshReader): JsonWebKey {
  const point = reader.string('point');
  // The seed with the point behind it.
  const both = reader.string('number');
  if (point.length !== 32 || both.length !== 64) throw new Malformed('its length is not that of ed25519');
  return { kty: 'OKP', crv: 'Ed25519', x: url(point), d: url(both.subarray(0, 32)) };
}

function readPrivate(section: Buffer): JsonWebKey {
  const reader = new SshReader(section);
  if (!reader.take(4, 'check').equals(reader.take(4, 'check'))) throw new Malformed('its check numbers differ');
  const type = reader.name('key type');
  if (type === 'ssh-rsa') return rsaKey(reader);
  if (type === 'ssh-ed25519') return ed25519Key(reader);
  const curve = curves.get(type);
  if (curve) return curveKey(reader, curve);
  throw new Malformed(`keys of type ${type} cannot sign here; take ssh-ed25519, ecdsa-sha2-nistp… or ssh-rsa`);
}

export const isOpensshKey = (text: string): boolean => text.startsWith('-----BEGIN OPENSSH PRIVATE KEY-----');

/** Throws `Malformed`; no message holds anything of the key. */
export function readOpensshKey(text: string): KeyObject {
  const body = armored.exec(text)?.[1];
  if (body === undefined) throw new Malformed('its armor is damaged');
  const reader = new SshReader(Buffer.from(body, 'base64'));
  if (reader.take(magic.length, 'magic').toString('latin1') !== magic) throw new Malformed('it is no OpenSSH key');
  const [cipher, kdf] = [reader.name('cipher'), reader.name('key derivation')];
  if (cipher !== 'none' || kdf !== 'none') throw new Malformed(encrypted);
  reader.string('key derivation options');
  if (reader.uint32('number of keys') !== 1) throw new Malformed('it holds more than one key');
  reader.string('public key');
  const jwk = readPrivate(reader.string('private key'));
  reader.end('private key');
  return createPrivateKey({ key: jwk, format: 'jwk' });
}

export const encrypted =
  'it has a passphrase, and nobody is there to give it; make a key of its own for signing with `ssh-keygen -N ""`';
