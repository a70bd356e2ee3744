/** Opens a connection to an origin: TLS verified, in bounded time, and with failures in our own words. */
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { UpstreamError } from './upstream-error.ts';

export interface Origin {
  readonly isTls: boolean;
  readonly host: string;
  readonly port: number;
  /** As in the header. */
  readonly authority: string;
}

/** How long an upstream may take until it can be spoken to. */
export const connectTimeoutMs = 10_000;
/** Middleboxes forget connections on which nothing is heard. */
const probeAfterMs = 60_000;

/** Undefined for anything but http and https. */
export function originOf(text: string): Origin | undefined {
  const { protocol, hostname, host, port } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  const isTls = protocol === 'https:';
  return {
    isTls,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || (isTls ? 443 : 80)),
    authority: host,
  };
}

/** Of several addresses that were tried, the first tells. */
function codeOf(error: NodeJS.ErrnoException): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return error.code ?? (first as NodeJS.ErrnoException | undefined)?.code ?? '';
}

const tlsWords: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself: no authority that is trusted here stands for it',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'it does not send the certificates between its own and an authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
  ECONNRESET: 'it broke off while TLS was set up',
};

const isUnresolved = /^(ENOTFOUND|EAI_)/;

function failure(origin: Origin, error: NodeJS.ErrnoException, isConnected: boolean): UpstreamError {
  const code = codeOf(error);
  const place = `${origin.host}:${origin.port}`;
  if (isUnresolved.test(code))
    return new UpstreamError('name_not_found', `the name ${origin.host} was not found`, error);
  if (!origin.isTls || !isConnected)
    return new UpstreamError('connect_failed', `no connection to ${place}${code && `: ${code}`}`, error);
  return new UpstreamError('tls_failed', `no TLS with ${place}: ${tlsWords[code] ?? 'it was refused'}`, error);
}

/** Called with what was read: the bytes are lent until it returns. */
export type OnRead = (bytes: Buffer) => void;

export interface Opened {
  readonly socket: Socket;
  readonly ready: Promise<void>;
}

/** Each read is over before the next begins, whichever connection it is of: one place for all costs no memory for each of them. */
const readInto = Buffer.allocUnsafeSlow(64 * 1024);

export interface TlsMemory {
  /** Of the connection before: the next one need not prove all of it again. */
  session: Buffer | undefined;
}

/** `ready` rejects with `UpstreamError`. */
export function open(origin: Origin, memory: TlsMemory, onRead: OnRead): Opened {
  const { host, port, isTls } = origin;
  const callback = (size: number) => {
    onRead(readInto.subarray(0, size));
    return true;
  };
  const onread = { buffer: readInto, callback };
  const address = { host, port, onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: probeAfterMs };
  const socket = isTls
    ? connectTls({
        ...address,
        servername: isIP(host) ? '' : host,
        ALPNProtocols: ['http/1.1'],
        rejectUnauthorized: true,
        session: memory.session,
      }).on('session', (session) => (memory.session = session))
    : connectPlain(address);
  let isConnected = false;
  socket.once('connect', () => (isConnected = true));
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      const seconds = connectTimeoutMs / 1_000;
      reject(new UpstreamError('connect_timeout', `no connection to ${host}:${port} within ${seconds} s`));
      socket.destroy();
    }, connectTimeoutMs);
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      resolve();
    });
    // Heard for as long as the connection lives: an error that nobody hears ends the process.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      memory.session = undefined;
      reject(failure(origin, error, isConnected));
    });
    // After an error nobody hears this; without one, it was given up here.
    socket.once('close', () => {
      clearTimeout(timer);
      reject(new UpstreamError('closed_early', `the connection to ${host}:${port} ended before it was there`));
    });
  });
  return { socket, ready };
}
