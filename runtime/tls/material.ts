/** What the gateway shows and believes in TLS: read from PEM files, and found fit for it or refused for a reason. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

export type ClientAuth = 'optional' | 'required';

/** Whose certificates are believed, and whether one must be shown. */
export interface ClientTrust {
  readonly ca: string;
  readonly auth: ClientAuth;
}

/** Where it lies. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly client: ClientTrust | undefined;
}

/** A text, or the code of the error that came instead. */
export type Read = { readonly text: string } | { readonly failed: string };

/** What the files hold, in the same places. */
export interface TlsTexts {
  readonly cert: Read;
  readonly key: Read;
  readonly clientCa: Read | undefined;
}

export interface Material {
  readonly context: SecureContextOptions;
  /** When it ends, in milliseconds since the Unix epoch; of several authorities the one that ends first. */
  readonly ends: { readonly server: number; readonly clientCa: number | undefined };
}

export type Judged = { readonly material: Material } | { readonly problems: readonly string[] };

type Flag = 'tls-cert' | 'tls-key' | 'tls-client-ca';

/** Never with a word of what stands in the file: one of them is a secret. */
class Problems {
  readonly list: string[] = [];

  add(flag: Flag, path: string, what: string): undefined {
    const variable = `HEADGATE_${flag.toUpperCase().replaceAll('-', '_')}`;
    this.list.push(`--${flag} (or ${variable}) ${path} ${what}`);
    return undefined;
  }
}

interface Place {
  readonly flag: Flag;
  readonly path: string;
  readonly problems: Problems;
}

function textOf(read: Read, { flag, path, problems }: Place): string | undefined {
  return 'text' in read ? read.text : problems.add(flag, path, `cannot be read: ${read.failed}`);
}

const pem = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

function certificatesIn(read: Read, place: Place): X509Certificate[] | undefined {
  const text = textOf(read, place);
  if (text === undefined) return undefined;
  const { flag, path, problems } = place;
  try {
    const found = (text.match(pem) ?? []).map((one) => new X509Certificate(one));
    return found.length > 0
      ? found
      : problems.add(flag, path, 'holds no certificate: write PEM, which begins with -----BEGIN CERTIFICATE-----');
  } catch {
    return problems.add(flag, path, 'holds a certificate that cannot be read: is the file whole?');
  }
}

function keyIn(read: Read, place: Place): KeyObject | undefined {
  const text = textOf(read, place);
  if (text === undefined) return undefined;
  const { flag, path, problems } = place;
  try {
    return createPrivateKey(text);
  } catch {
    const isLocked = /-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text);
    return problems.add(
      flag,
      path,
      isLocked
        ? 'is encrypted: nobody is there to type its passphrase; store it without one'
        : 'holds no private key: write PEM, which begins with -----BEGIN PRIVATE KEY-----',
    );
  }
}

const day = (date: Date): string => date.toISOString().slice(0, 10);
const endOf = (certificate: X509Certificate): number => certificate.validToDate.getTime();

function checkTimes(certificate: X509Certificate, now: number, { flag, path, problems }: Place): void {
  if (now >= endOf(certificate)) problems.add(flag, path, `has expired on ${day(certificate.validToDate)}: renew it`);
  if (now < certificate.validFromDate.getTime())
    problems.add(flag, path, `is not valid before ${day(certificate.validFromDate)}: is the clock right?`);
}

/** An authority that has ended stays in bundles beside its successor; one of them must be left. */
function checkAuthorities(authorities: readonly X509Certificate[], now: number, { flag, path, problems }: Place): void {
  if (authorities.every((one) => now >= endOf(one)))
    problems.add(flag, path, `has expired on ${day(new Date(Math.max(...authorities.map(endOf))))}: renew it`);
  const none = authorities.findIndex((one) => !one.ca && !one.checkIssued(one));
  if (none >= 0) problems.add(flag, path, `holds no authority as its certificate ${none + 1}: it can sign no other`);
}

/** Whether a server can be made of it; everything that is wrong at once. */
export function judge(files: TlsFiles, texts: TlsTexts, now: number): Judged {
  const problems = new Problems();
  const certPlace: Place = { flag: 'tls-cert', path: files.cert, problems };
  const keyPlace: Place = { flag: 'tls-key', path: files.key, problems };
  const caPlace: Place = { flag: 'tls-client-ca', path: files.client?.ca ?? '', problems };
  const [own] = certificatesIn(texts.cert, certPlace) ?? [];
  const key = keyIn(texts.key, keyPlace);
  const authorities = texts.clientCa && certificatesIn(texts.clientCa, caPlace);
  if (own) checkTimes(own, now, certPlace);
  if (own && key && !own.checkPrivateKey(key))
    problems.add('tls-key', files.key, `does not fit the certificate in ${files.cert}`);
  if (authorities) checkAuthorities(authorities, now, caPlace);
  if (problems.list.length > 0 || !own || !('text' in texts.cert && 'text' in texts.key))
    return { problems: problems.list };
  const ca = texts.clientCa && 'text' in texts.clientCa ? texts.clientCa.text : undefined;
  // What Node would take for its least can be lowered from outside.
  const context = { cert: texts.cert.text, key: texts.key.text, ...(ca && { ca }), minVersion: 'TLSv1.2' as const };
  try {
    createSecureContext(context);
  } catch (error) {
    problems.add(
      'tls-cert',
      files.cert,
      `cannot be used: ${(error as NodeJS.ErrnoException).code ?? 'no reason told'}`,
    );
    return { problems: problems.list };
  }
  const left = authorities?.map(endOf).filter((end) => end > now);
  return { material: { context, ends: { server: endOf(own), clientCa: left && Math.min(...left) } } };
}
