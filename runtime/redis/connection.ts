/** A connection to Redis in which every command is answered within its deadline, whatever the server does. */
import { Redis, type RedisOptions } from 'ioredis';
import { StoreUnavailable } from '../quota/store.ts';

const longestReconnectMs = 1_000;

export interface RedisConnection {
  readonly client: Redis;
  /** Runs one command within the deadline; every failure is `StoreUnavailable`, with a code and no secret. */
  ask(command: () => Promise<unknown>): Promise<unknown>;
  ready(): boolean;
  close(): Promise<void>;
}

export function connectRedis(url: string, timeoutMs: number, scripts: RedisOptions['scripts'] = {}): RedisConnection {
  const address = parseAddress(url);
  const client = new Redis({ ...address, ...connectionOptions(timeoutMs), scripts });
  const name = `${address.host}:${address.port}`;
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
  const ready = () => client.status === 'ready' && client.stream.writable;

  function unavailable(error: unknown): StoreUnavailable {
    const fault = ready() ? reason(error) : `not connected (${reason(lastFault ?? error)})`;
    return new StoreUnavailable(`redis ${name}: ${fault}`);
  }

  function ask(command: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const expire = () => {
        if (settled) return;
        settled = true;
        // A late reply must never be taken for the answer to a later command.
        if (ready()) client.stream.destroy();
        reject(new StoreUnavailable(`redis ${name}: no answer within ${timeoutMs} ms`));
      };
      // One turn of grace: after a busy event loop the answer may be here already, unread.
      const timer = setTimeout(() => setImmediate(expire), timeoutMs);
      const settle = () => {
        settled = true;
        clearTimeout(timer);
      };
      // Units must not be taken for a caller who has been sent away.
      const send = () => (settled ? undefined : command());
      attempted.then(send).then(
        (reply) => (settle(), resolve(reply)),
        (error: unknown) => (settle(), reject(unavailable(error))),
      );
    });
  }

  async function close(): Promise<void> {
    if (ready()) await ask(() => client.quit()).catch(() => undefined);
    client.disconnect();
  }

  return { client, ask, ready, close };
}

function connectionOptions(timeoutMs: number): RedisOptions {
  return {
    // Sending a taking again after a lost connection would count it twice.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2 * timeoutMs,
    disconnectTimeout: timeoutMs,
    // `ask` keeps the deadline of takings; these two end handshakes and connections that went silent.
    commandTimeout: 2 * timeoutMs,
    socketTimeout: 3 * timeoutMs,
    keepAlive: 5_000,
    retryStrategy: (attempt) =>
      Math.min(50 * 2 ** Math.min(attempt, 10), longestReconnectMs) * (0.5 + Math.random() / 2),
    // After a failover the old master refuses writes: connect again, the name may lead to the new one by then.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

type Address = Pick<RedisOptions, 'username' | 'password' | 'db' | 'tls'> & { host: string; port: number };

// Read here and not by ioredis, which takes any of its options from the query and repeats a bad URL in its error.
function parseAddress(text: string): Address {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const database = /^\/?(\d*)$/.exec(url?.pathname ?? '')?.[1];
  const known = url?.protocol === 'redis:' || url?.protocol === 'rediss:';
  if (url === undefined || !known || url.hostname === '' || database === undefined || url.search + url.hash !== '') {
    throw new Error('the Redis address is not understood; write redis[s]://[user:password@]host[:port][/database]');
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    db: Number(database),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/** A code only: a server's own words can repeat the arguments of the command, the password among them. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown fault';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z]{2,}\b/.exec(error.message)?.[0] ?? 'connection lost';
}
