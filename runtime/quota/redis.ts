/** Quota counts in Redis, shared by all replicas: every call is answered within its deadline, whatever the server does. */
import { Redis, type RedisOptions } from 'ioredis';
import { StoreUnavailable, type QuotaStore, type QuotaWindow, type Taking } from './store.ts';
import { checkAmount, lengthsRemembered, windowStartAt } from './window.ts';

const defaultCommandTimeoutMs = 300;
const longestReconnectMs = 1_000;

// One hash per quota, one field per window: the only key is the declared one, so a cluster can route the script.
// The server's clock decides the window, so replicas need not agree on the time. Numbers travel as text, because a
// Lua number in a reply loses its fraction and tostring() its last digits.
const prelude = `
local window_ms = tonumber(ARGV[1])
local amount = tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local start = now - now % window_ms
local field = string.format('%.0f', start)
`;

const takeLua = `${prelude}
local limit = tonumber(ARGV[3])
local stored = redis.call('HGET', KEYS[1], field)
local used = tonumber(stored or '0')
local granted = 0
if used + amount <= limit then
  granted = 1
  used = used + amount
  if not stored then
    for _, other in ipairs(redis.call('HKEYS', KEYS[1])) do
      if tonumber(other) < start - window_ms then redis.call('HDEL', KEYS[1], other) end
    end
  end
  if amount > 0 then
    redis.call('HSET', KEYS[1], field, string.format('%.17g', used))
    if not stored then
      redis.call('PEXPIRE', KEYS[1], string.format('%.0f', start + ${lengthsRemembered} * window_ms - now))
    end
  end
end
return { granted, string.format('%.17g', used), field, string.format('%.0f', start + window_ms - now) }
`;

const giveBackLua = `${prelude}
if field ~= ARGV[3] then return 0 end
local stored = redis.call('HGET', KEYS[1], field)
if not stored then return 0 end
redis.call('HSET', KEYS[1], field, string.format('%.17g', math.max(0, tonumber(stored) - amount)))
return 1
`;

export interface RedisStoreOptions {
  /** Begins every key, so that an access list can confine this client. Default `headgate:quota:`. */
  readonly keyPrefix?: string;
  /** Longest time a call may take, connecting included. Default 300. */
  readonly commandTimeoutMs?: number;
}

interface QuotaCommands {
  quotaTake(key: string, windowMs: number, amount: number, limit: number): Promise<unknown>;
  quotaGiveBack(key: string, windowMs: number, amount: number, windowStart: string): Promise<unknown>;
}

export function redisStore(url: string, options: RedisStoreOptions = {}): QuotaStore {
  const timeoutMs = options.commandTimeoutMs ?? defaultCommandTimeoutMs;
  const keyPrefix = options.keyPrefix ?? 'headgate:quota:';
  const connection = connect(url, timeoutMs);
  const { commands } = connection;

  // The length of the window is part of the key: while two revisions disagree about it, neither disturbs the other.
  const keyOf = (window: QuotaWindow) => `${keyPrefix}${window.key}:${window.windowMs}`;

  return {
    async take(window: QuotaWindow, amount: number): Promise<Taking> {
      checkAmount(window, amount);
      windowStartAt(window, 0);
      const reply = await connection.ask(() =>
        commands.quotaTake(keyOf(window), window.windowMs, amount, window.limit),
      );
      return parseTaking(reply);
    },

    async giveBack(window: QuotaWindow, windowStart: number, amount: number): Promise<void> {
      checkAmount(window, amount);
      await connection.ask(() => commands.quotaGiveBack(keyOf(window), window.windowMs, amount, String(windowStart)));
    },

    healthy: () => connection.ready(),
    close: () => connection.close(),
  };
}

interface Connection {
  readonly commands: QuotaCommands;
  ask(command: () => Promise<unknown>): Promise<unknown>;
  ready(): boolean;
  close(): Promise<void>;
}

function connect(url: string, timeoutMs: number): Connection {
  const address = parseAddress(url);
  const client = new Redis({ ...address, ...connectionOptions(timeoutMs) });
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

  // The scripts in the options define these two commands, which the client's type cannot know.
  return { commands: client as Redis & QuotaCommands, ask, ready, close };
}

function connectionOptions(timeoutMs: number): RedisOptions {
  return {
    scripts: { quotaTake: { lua: takeLua, numberOfKeys: 1 }, quotaGiveBack: { lua: giveBackLua, numberOfKeys: 1 } },
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

function parseTaking(reply: unknown): Taking {
  const numbers = Array.isArray(reply) ? reply.map(Number) : [];
  const [granted, used, windowStart, resetMs] = numbers;
  if (granted === undefined || used === undefined || windowStart === undefined || resetMs === undefined) {
    throw new StoreUnavailable('redis: the answer to a taking is not four numbers');
  }
  return { granted: granted === 1, used, windowStart, resetMs };
}

/** A code only: a server's own words can repeat the arguments of the command, the password among them. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown fault';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z]{2,}\b/.exec(error.message)?.[0] ?? 'connection lost';
}
