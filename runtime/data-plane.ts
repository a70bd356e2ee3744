/** Opens the data plane as the settings say: plain or over TLS, with files that may be renewed and certificates of clients. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen, type Listener } from './listener.ts';
import type { Log } from './log.ts';
import { noteCertificate } from './pipeline/credentials.ts';
import { SettingsError, type Settings } from './settings.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { clientCertificateOf } from './tls/client-certificate.ts';
import { Renewal } from './tls/renewal.ts';
import type { TlsSide } from './tls/secure-server.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

export interface DataPlane extends Omit<Listener, 'renew'> {
  /** Does not wait for the next look at them. */
  renewFromFiles(): Promise<void>;
}

export async function openDataPlane(
  { listen: address, tls: files }: Settings,
  handle: Handle,
  around: { readonly log: Log; readonly metrics: Metrics },
): Promise<DataPlane> {
  if (!files) return { ...(await listen(address, handle)), renewFromFiles: async () => undefined };
  const renewal = new Renewal({ files, ...around }, (problems) => new SettingsError(problems));
  const knowing: Handle = (request, response) => {
    const certificate = clientCertificateOf(request.socket);
    if (certificate) noteCertificate(request.headers, certificate);
    handle(request, response);
  };
  // Anybody can make a handshake fail, as often as he likes.
  const failed = (code: string) => around.log.debug({ event: 'tls_handshake_failed', code }, 'TLS handshake failed');
  const tls: TlsSide = { material: renewal.first, client: files.client, failed };
  const listener = await listen(address, knowing, undefined, tls);
  renewal.begin((material) => listener.renew(material));
  return {
    url: listener.url,
    retire: () => listener.retire(),
    renewFromFiles: () => renewal.look(),
    drain: (ms) => listener.drain(ms),
    async close() {
      renewal.close();
      await listener.close();
    },
  };
}
