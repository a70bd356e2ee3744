/** Quota counts in Redis, shared by all replicas: every call is answered within its deadline, whatever the server does. */
import { connectRedis } from '../redis/connection.ts';
import { StoreUnavailable, type QuotaStore, type QuotaWindow, type Taking } from './store.ts';
import { checkAmount, lengthsRemembered, windowStartAt } from './window.ts';

const defaultCommandTimeoutMs = 300;

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
  const connection = connectRedis(url, timeoutMs, {
    quotaTake: { lua: takeLua, numberOfKeys: 1 },
    quotaGiveBack: { lua: giveBackLua, numberOfKeys: 1 },
  });
  // The scripts define these two commands, which the client's type cannot know.
  const commands = connection.client as typeof connection.client & QuotaCommands;

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

function parseTaking(reply: unknown): Taking {
  const numbers = Array.isArray(reply) ? reply.map(Number) : [];
  const [granted, used, windowStart, resetMs] = numbers;
  if (granted === undefined || used === undefined || windowStart === undefined || resetMs === undefined) {
    throw new StoreUnavailable('redis: the answer to a taking is not four numbers');
  }
  return { granted: granted === 1, used, windowStart, resetMs };
}
