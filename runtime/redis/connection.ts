/** A connection to Redis in which every command is answered within its deadline, whatever the server does. */
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { StoreUnavailable } from '../quota/store.ts';
import { parseRedisAddress, type Place, type RedisAddress } from './address.ts';
import { loadClient } from './client.ts';
import { watchSentinels } from './sentinel-watch.ts';

const longestReconnectMs = 1_000;

type RedisClient = Redis | Cluster;

export interface RedisConnection {
  readonly client: RedisClient;
  /** Runs one command within the deadline; every failure is `StoreUnavailable`, with a code and no secret. */
  ask(command: () => Promise<unknown>): Promise<unknown>;
  close(): Promise<void>;
}

export function connectRedis(url: string, timeoutMs: number, scripts: RedisOptions['scripts'] = {}): RedisConnection {
  const address = parseRedisAddress(url);
  const client = open(address, timeoutMs, scripts);
  const name = address.places.map(({ host, port }) => `${host}:${port}`).join(',');
  let lastFault: unknown;
  // Without a listener a lost connection would end the process. Kept, because "not connected" alone explains nothing.
  client.on('error', (error: unknown) => (lastFault = error));
  client.on('ready', () => (lastFault = undefined));

  // A call right after start waits for the first attempt to connect; later ones fail at once while there is no server.
  const attempted = new Promise<void>((resolve) => {
    client.once('ready', resolve);
    client.once('close', resolve);
    client.once('end', resolve);
  });

  // The status alone is behind by a turn when this side drops or ends the connection.
  const ready = () => client.status === 'ready' && serversOf(client).some(({ stream }) => stream?.writable);

  function unavailable(error: unknown, wasReady: boolean): StoreUnavailable {
    const fault = ready() ? reason(error) : `not connected (${reason(lastFault ?? error)})`;
    const isRefused = error instanceof Error && error.name === 'ReplyError';
    return new StoreUnavailable(`redis ${name}: ${fault}`, { isUndone: !wasReady || isRefused });
  }

  // A master that hands over takes writes for seconds still, which are lost when it begins to follow the new one.
  const unwatch =
    address.form === 'sentinel'
      ? watchSentinels(address, { timeoutMs, reconnectAfter, onSwitch: (to) => leave(client, to) })
      : () => undefined;

  function ask(command: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let settled = false;
      let isSent = false;
      const expire = () => {
        if (settled) return;
        settled = true;
        // A late reply must never be taken for the answer to a later command.
        drop(client);
        reject(new StoreUnavailable(`redis ${name}: no answer within ${timeoutMs} ms`, { isUndone: !isSent }));
      };
      // One turn of grace: after a busy event loop the answer may be here already, unread.
      const timer = setTimeout(() => setImmediate(expire), timeoutMs);
      const settle = () => {
        settled = true;
        clearTimeout(timer);
      };
      let wasReady = false;
      const send = () => {
        wasReady = ready();
        // Units must not be taken for a caller who has been sent away.
        if (settled) return undefined;
        isSent = true;
        return command();
      };
      attempted.then(send).then(
        (reply) => (settle(), resolve(reply)),
        (error: unknown) => (settle(), reject(unavailable(error, wasReady))),
      );
    });
  }

  async function close(): Promise<void> {
    unwatch();
    if (ready()) await ask(() => client.quit()).catch(() => undefined);
    client.disconnect();
  }

  return { client, ask, close };
}

function serversOf(client: RedisClient): readonly Partial<Pick<Redis, 'stream'>>[] {
  return 'nodes' in client ? client.nodes('all') : [client];
}

/** Each sentinel says it, and the first word may have led to the new master already. */
function leave(client: RedisClient, to: Place): void {
  const isThere = serversOf(client).some(
    ({ stream }) =>
      stream && 'remotePort' in stream && stream.remotePort === to.port && stream.remoteAddress === to.host,
  );
  if (!isThere) drop(client);
}

/** It connects anew by itself, to whoever is the master by then. */
function drop(client: RedisClient): void {
  for (const { stream } of serversOf(client)) stream?.destroy();
}

function open(address: RedisAddress, timeoutMs: number, scripts: RedisOptions['scripts'] = {}): RedisClient {
  const { form, places, master, db, username, password, isSecure } = address;
  const options: RedisOptions = {
    ...connectionOptions(timeoutMs),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isSecure && { tls: {} }),
  };
  const [place] = places;
  const { Cluster, Redis } = loadClient();
  if (form === 'server') return new Redis({ ...options, ...place, db, scripts });
  if (form === 'sentinel') {
    const sentinels = [...places];
    const ofSentinels = {
      sentinelRetryStrategy: reconnectAfter,
      sentinelCommandTimeout: 2 * timeoutMs,
      enableTLSForSentinelMode: isSecure,
      ...(isSecure && { sentinelTLS: {} }),
    };
    return new Redis({ ...options, ...ofSentinels, sentinels, name: master, db, scripts });
  }
  return new Cluster([...places], {
    scripts,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: reconnectAfter,
    slotsRefreshTimeout: 2 * timeoutMs,
    // A taking whose connection was lost may have been counted: it is not sent again.
    retryDelayOnFailover: 0,
    redisOptions: options,
  });
}

const reconnectAfter = (attempt: number): number =>
  Math.min(50 * 2 ** Math.min(attempt, 10), longestReconnectMs) * (0.5 + Math.random() / 2);

function connectionOptions(timeoutMs: number): RedisOptions {
  return {
    // Sending a taking again after a lost connection would count it twice.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    // What is asked in one turn of the event loop is sent as one write.
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 2 * timeoutMs,
    disconnectTimeout: timeoutMs,
    // `ask` keeps the deadline of takings; these two end handshakes and connections that went silent.
    commandTimeout: 2 * timeoutMs,
    socketTimeout: 3 * timeoutMs,
    keepAlive: 5_000,
    retryStrategy: reconnectAfter,
    // After a failover the old master refuses writes: connect again, the name may lead to the new one by then.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/** A code only: a server's own words can repeat the arguments of the command, the password among them. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown fault';
  // Of a cluster none of whose nodes answers.
  if ('lastNodeError' in error) return reason(error.lastNodeError);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z]{2,}\b/.exec(error.message)?.[0] ?? 'connection lost';
}
