/** Public keys in the form SSH writes them: RFC 8709 (ed25519), RFC 5656 (ecdsa), RFC 4253 section 6.6 (rsa). */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Malformed, SshReader, sshPositive, sshString } from './wire.ts';

export interface Curve {
  /** As SSH names it inside a key. */
  readonly ssh: string;
  readonly jwk: string;
  readonly bytes: number;
  readonly hash: string;
}

/** By key type; the hash belongs to the curve (RFC 5656, section 6.2.1). */
export const curves: ReadonlyMap<string, Curve> = new Map([
  ['ecdsa-sha2-nistp256', { ssh: 'nistp256', jwk: 'P-256', bytes: 32, hash: 'sha256' }],
  ['ecdsa-sha2-nistp384', { ssh: 'nistp384', jwk: 'P-384', bytes: 48, hash: 'sha384' }],
  ['ecdsa-sha2-nistp521', { ssh: 'nistp521', jwk: 'P-521', bytes: 66, hash: 'sha512' }],
]);

/** Below this a modulus is within reach of a rich attacker; above it a verification costs more than any artifact is worth. */
const rsaBits = { least: 2048, most: 16_384 };
const maxExponentBytes = 8;

export interface PublicKey {
  readonly type: string;
  readonly key: KeyObject;
  /** The key as SSH writes it: two keys are the same when these bytes are. */
  readonly blob: Buffer;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

export function fingerprintOf(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

const url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');

function bitsOf(bytes: Uint8Array): number {
  return bytes.length * 8 - Math.clz32(bytes[0] ?? 0) + 24;
}

function refuseWeakRsa(bits: number): void {
  if (bits < rsaBits.least)
    throw new Malformed(`an RSA key of ${bits} bits is too weak; take ${rsaBits.least} bits or more, or ed25519`);
  if (bits > rsaBits.most) throw new Malformed(`an RSA key of ${bits} bits is larger than ${rsaBits.most}`);
}

function readRsa(reader: SshReader): JsonWebKey {
  const exponent = reader.positive('exponent');
  const modulus = reader.positive('modulus');
  refuseWeakRsa(bitsOf(modulus));
  if (exponent.length > maxExponentBytes) throw new Malformed('its exponent is larger than any in use');
  return { kty: 'RSA', n: url(modulus), e: url(exponent) };
}

function readCurvePoint(reader: SshReader, { ssh, jwk, bytes }: Curve): JsonWebKey {
  if (reader.name('curve') !== ssh) throw new Malformed('its curve is not that of its type');
  const point = reader.string('point');
  if (point.length !== 1 + 2 * bytes || point[0] !== 4) throw new Malformed('its point is not an uncompressed one');
  return { kty: 'EC', crv: jwk, x: url(point.subarray(1, 1 + bytes)), y: url(point.subarray(1 + bytes)) };
}

function readEd25519(reader: SshReader): JsonWebKey {
  const point = reader.string('point');
  if (point.length !== 32) throw new Malformed('its point has not 32 bytes');
  return { kty: 'OKP', crv: 'Ed25519', x: url(point) };
}

function readFields(type: string, reader: SshReader): JsonWebKey {
  const curve = curves.get(type);
  if (curve) return readCurvePoint(reader, curve);
  if (type === 'ssh-ed25519') return readEd25519(reader);
  if (type === 'ssh-rsa') return readRsa(reader);
  throw new Malformed(`keys of type ${type} are not taken; take ssh-ed25519, ecdsa-sha2-nistp… or ssh-rsa`);
}

/** Throws `Malformed`. */
export function readPublicKey(blob: Uint8Array): PublicKey {
  const reader = new SshReader(blob);
  const type = reader.name('key type');
  const jwk = readFields(type, reader);
  reader.end('key');
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    return { type, key, blob: Buffer.from(blob), fingerprint: fingerprintOf(blob) };
  } catch {
    throw new Malformed('it is not a key: its numbers do not fit together');
  }
}

function jwkOf(key: KeyObject): JsonWebKey {
  try {
    return createPublicKey(key).export({ format: 'jwk' });
  } catch {
    return {};
  }
}

/** The public half of `key` as SSH writes it. Throws `Malformed` for kinds that SSH signatures have no place for. */
export function publicKeyOf(key: KeyObject): PublicKey {
  const { kty, crv, n = '', e = '', x = '', y = '' } = jwkOf(key);
  const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');
  if (kty === 'RSA')
    return readPublicKey(Buffer.concat([sshString('ssh-rsa'), sshPositive(bytes(e)), sshPositive(bytes(n))]));
  if (kty === 'OKP' && crv === 'Ed25519')
    return readPublicKey(Buffer.concat([sshString('ssh-ed25519'), sshString(bytes(x))]));
  const [type, curve] = [...curves].find(([, { jwk }]) => kty === 'EC' && jwk === crv) ?? [];
  if (type === undefined || !curve)
    throw new Malformed('the key is neither ed25519, nor ecdsa on a NIST curve, nor rsa');
  const point = Buffer.concat([Buffer.from([4]), bytes(x), bytes(y)]);
  return readPublicKey(Buffer.concat([sshString(type), sshString(curve.ssh), sshString(point)]));
}
