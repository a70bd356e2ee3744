/** The certificate that a client showed, as configuration speaks of it: read once for each connection. */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface ClientCertificate {
  /** `URI:…`, `DNS:…` and `email:…` of its alternative names, or else `CN:…`; at the end `sha256:…`. */
  readonly names: readonly string[];
  /** Milliseconds since the Unix epoch: connections may live longer. */
  readonly expiresAt: number;
  /** Why it proves nothing; undefined when an authority vouches for it. */
  readonly refused: string | undefined;
}

/** One alternative name as Node writes it: with quotes and escapes of JSON wherever it could be read as two. */
const oneName = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;
const taken = ['URI', 'DNS', 'email'];

function alternativeNames(text: string): string[] {
  const names: string[] = [];
  oneName.lastIndex = 0;
  while (oneName.lastIndex < text.length) {
    const [, sort = '', written = ''] = oneName.exec(text) ?? [];
    // Nothing is believed of what cannot be read to its end.
    if (sort === '') return [];
    const value = written.startsWith('"') ? String(JSON.parse(written)) : written;
    if (taken.includes(sort)) names.push(`${sort}:${sort === 'DNS' ? value.toLowerCase() : value}`);
  }
  return names;
}

/** Authorities that vouch for alternative names may let anybody choose the common name beside them. */
function commonName(certificate: X509Certificate): string[] {
  const name: unknown = certificate.toLegacyObject().subject?.CN;
  return typeof name === 'string' ? [`CN:${name}`] : [];
}

export function namesOf(certificate: X509Certificate): readonly string[] {
  const alternative = certificate.subjectAltName;
  const named = alternative === undefined ? commonName(certificate) : alternativeNames(alternative);
  return [...named, `sha256:${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`];
}

const reasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  INVALID_PURPOSE: 'it is not meant for clients',
};

function read(socket: TLSSocket): ClientCertificate | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  const expiresAt = certificate.validToDate.getTime();
  if (!socket.authorized) {
    const code = String(socket.authorizationError);
    return { names: [], expiresAt, refused: reasons[code] ?? 'no authority that is trusted here vouches for it' };
  }
  try {
    return { names: namesOf(certificate), expiresAt, refused: undefined };
  } catch {
    return { names: [], expiresAt, refused: 'its names cannot be read' };
  }
}

const known = new WeakMap<Socket, { readonly certificate: ClientCertificate | undefined }>();

export function clientCertificateOf(socket: Socket): ClientCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  let found = known.get(socket);
  if (!found) known.set(socket, (found = { certificate: read(socket) }));
  return found.certificate;
}
