/** The files behind TLS: which of them the settings name, and what they hold at the moment. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { judge, type ClientAuth, type Read, type TlsFiles, type TlsTexts } from './material.ts';

const modes: readonly ClientAuth[] = ['optional', 'required'];

const failed = (error: unknown): Read => ({ failed: (error as NodeJS.ErrnoException).code ?? 'unknown error' });

function readNow(path: string): Read {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return failed(error);
  }
}

const readSoon = (path: string): Promise<Read> => readFile(path, 'utf8').then((text) => ({ text }), failed);

/** What a start has: the event loop has nothing else to do yet. */
export const textsNow = ({ cert, key, client }: TlsFiles): TlsTexts => ({
  cert: readNow(cert),
  key: readNow(key),
  clientCa: client && readNow(client.ca),
});

export async function textsSoon({ cert, key, client }: TlsFiles): Promise<TlsTexts> {
  const [own, secret, clientCa] = await Promise.all([readSoon(cert), readSoon(key), client && readSoon(client.ca)]);
  return { cert: own, key: secret, clientCa };
}

/** Undefined where the data plane speaks plain HTTP. What is wrong with the settings or with their files becomes a problem. */
export function tlsFrom(given: ReadonlyMap<string, string>, problems: string[]): TlsFiles | undefined {
  const path = (name: string): string | undefined => {
    const text = given.get(name);
    return text === undefined ? undefined : resolve(text);
  };
  const [cert, key, ca] = [path('tls-cert'), path('tls-key'), path('tls-client-ca')];
  const mode = given.get('tls-client-auth');
  const auth = mode === undefined ? 'optional' : modes.find((one) => one === mode);
  if (auth === undefined)
    problems.push(`--tls-client-auth (or HEADGATE_TLS_CLIENT_AUTH) must be one of ${modes.join(', ')}`);
  if (mode !== undefined && ca === undefined)
    problems.push('--tls-client-auth needs --tls-client-ca: say whose client certificates are believed');
  if (cert === undefined && (key ?? ca) !== undefined)
    problems.push(`--${key === undefined ? 'tls-client-ca' : 'tls-key'} needs --tls-cert: without it there is no TLS`);
  if (cert !== undefined && key === undefined)
    problems.push('--tls-cert needs --tls-key: say where the private key of the certificate lies');
  if (cert === undefined || key === undefined || auth === undefined) return undefined;
  const files: TlsFiles = { cert, key, client: ca === undefined ? undefined : { ca, auth } };
  const judged = judge(files, textsNow(files), Date.now());
  if ('problems' in judged) problems.push(...judged.problems);
  return files;
}
