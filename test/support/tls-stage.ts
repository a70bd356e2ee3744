/** Files for TLS in a temporary folder, and a client that shows certificates. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request, type Agent, type AgentOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Pair } from './certificates.ts';

export interface TlsFolder {
  readonly path: (name: string) => string;
  /** Settings that name what `write` writes. */
  readonly flags: readonly string[];
  readonly write: (pair: Pick<Pair, 'certificate' | 'key'>, clientCa?: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

export async function tlsFolder(): Promise<TlsFolder> {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-tls-'));
  const path = (name: string) => join(directory, name);
  return {
    path,
    flags: ['--tls-cert', path('cert.pem'), '--tls-key', path('key.pem'), '--tls-client-ca', path('ca.pem')],
    async write({ certificate, key }, clientCa) {
      await writeFile(path('cert.pem'), certificate);
      await writeFile(path('key.pem'), key);
      if (clientCa !== undefined) await writeFile(path('ca.pem'), clientCa);
    },
    remove: () => rm(directory, { recursive: true }),
  };
}

export interface TlsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** `GET`s over a connection of its own, or over those of `options.agent`. Rejects when there is no answer. */
export async function getOver(
  url: string,
  { headers = {}, ...options }: AgentOptions & { headers?: Record<string, string>; agent?: Agent } = {},
): Promise<TlsAnswer> {
  const asked = request(url, { agent: false, ...options, headers }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}
