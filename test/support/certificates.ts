/** Makes authorities and certificates for tests, in the few bytes of DER that they need: nothing secret lies in the repository. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 128) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.from(content.length.toString(16).padStart(content.length < 256 ? 2 : 4, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 + length.length]), length, content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value));
const yes = der(0x01, Buffer.from([0xff]));

/** Arcs after the first two, which are one byte. */
function objectId(first: number, ...arcs: readonly number[]): Buffer {
  const bytes = arcs.flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let rest = arc >> 7; rest > 0; rest >>= 7) groups.unshift((rest & 0x7f) | 0x80);
    return groups;
  });
  return der(0x06, Buffer.from([first, ...bytes]));
}

const ecdsaWithSha256 = sequence(objectId(0x2a, 840, 10_045, 4, 3, 2));
const named = (commonName: string): Buffer =>
  sequence(der(0x31, sequence(objectId(0x55, 4, 3), text(0x0c, commonName))));
const time = (at: Date): Buffer => text(0x18, `${at.toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`);
const extension = (id: Buffer, value: Buffer, isCritical = false): Buffer =>
  sequence(id, ...(isCritical ? [yes] : []), der(0x04, value));

const usages = { client: 2, server: 1 };
const hourMs = 3_600_000;

export interface Wanted {
  readonly commonName?: string;
  readonly uri?: readonly string[];
  readonly dns?: readonly string[];
  readonly email?: readonly string[];
  /** An IPv4 address. */
  readonly ip?: string;
  /** Default: an hour ago. */
  readonly from?: Date;
  /** Default: in an hour. */
  readonly until?: Date;
  readonly usage?: keyof typeof usages;
}

function alternativeNames({ uri = [], dns = [], email = [], ip }: Wanted): Buffer[] {
  const names = [
    ...email.map((value) => text(0x81, value)),
    ...dns.map((value) => text(0x82, value)),
    ...uri.map((value) => text(0x86, value)),
    ...(ip === undefined ? [] : [der(0x87, Buffer.from(ip.split('.').map(Number)))]),
  ];
  return names.length === 0 ? [] : [extension(objectId(0x55, 29, 17), sequence(...names))];
}

export interface Pair {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** As configuration names it. */
  readonly fingerprint: `sha256:${string}`;
}

interface Signer {
  readonly name: string;
  readonly key: KeyObject;
}

let serial = 0;

function certify(subject: string, key: KeyObject, signer: Signer, wanted: Wanted & { isAuthority?: boolean }): Buffer {
  const { usage, isAuthority = false } = wanted;
  const { from = new Date(Date.now() - hourMs), until = new Date(Date.now() + hourMs) } = wanted;
  const extensions = [
    ...(isAuthority ? [extension(objectId(0x55, 29, 19), sequence(yes), true)] : []),
    ...(usage ? [extension(objectId(0x55, 29, 37), sequence(objectId(0x2b, 6, 1, 5, 5, 7, 3, usages[usage])))] : []),
    ...alternativeNames(wanted),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, (serial += 1) >> 8, serial & 0xff])),
    ecdsaWithSha256,
    named(signer.name),
    sequence(time(from), time(until)),
    named(subject),
    key.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  const signature = sign('sha256', body, signer.key);
  return sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
}

const pem = (bytes: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replaceAll(/.{64}(?!$)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

export class Authority {
  /** PEM. */
  readonly certificate: string;
  readonly #signer: Signer;

  constructor(name: string, wanted: Wanted = {}) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#signer = { name, key: privateKey };
    this.certificate = pem(certify(name, publicKey, this.#signer, { ...wanted, isAuthority: true }));
  }

  issue(wanted: Wanted = {}): Pair {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const bytes = certify(wanted.commonName ?? '', publicKey, this.#signer, wanted);
    return {
      certificate: pem(bytes),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      fingerprint: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    };
  }

  /** For a gateway on this machine. */
  server(wanted: Wanted = {}): Pair {
    return this.issue({ commonName: 'gateway', ip: '127.0.0.1', usage: 'server', ...wanted });
  }
}
