/** Quota counts in Redis, shared by all replicas: every call is answered within its deadline, whatever the server does. */
import { randomUUID } from 'node:crypto';
import { connectRedis } from '../redis/connection.ts';
import { asReading, checkDemands, checkSettlements } from './counting.ts';
import { giveBackLua, settleLua, takeLua } from './redis-scripts.ts';
import {
  StoreUnavailable,
  type Demand,
  type Former,
  type QuotaStore,
  type Settlement,
  type Taking,
  type Window,
} from './store.ts';
import { SureTakings, type AskedDemand } from './sure-takings.ts';
import { reachOf, rhythmOf, spanAt, windowName } from './window.ts';

const defaultCommandTimeoutMs = 300;

export interface RedisStoreOptions {
  /** Begins every key, so that an access list can confine this client. Default `headgate:quota:{q}:`; the part in braces keeps all counts on one node of a cluster. */
  readonly keyPrefix?: string;
  /** Longest time a call may take, connecting included. Default 300. */
  readonly commandTimeoutMs?: number;
  /** In place of the server's clock, which decides otherwise: replicas need not agree on the time. */
  readonly now?: () => number;
}

interface QuotaCommands {
  quotaTake(keyCount: number, ...keysAndRequest: string[]): Promise<unknown>;
  quotaSettle(keyCount: number, ...keysAndRequest: string[]): Promise<unknown>;
  quotaGiveBack(keyCount: number, ...keysAndRequest: string[]): Promise<unknown>;
}

export function redisStore(url: string, options: RedisStoreOptions = {}): QuotaStore {
  const timeoutMs = options.commandTimeoutMs ?? defaultCommandTimeoutMs;
  const keyPrefix = options.keyPrefix ?? 'headgate:quota:{q}:';
  const connection = connectRedis(url, timeoutMs, {
    quotaTake: { lua: takeLua },
    quotaSettle: { lua: settleLua },
    quotaGiveBack: { lua: giveBackLua },
  });
  // The scripts define these commands, which the client's type cannot know.
  const commands = connection.client as typeof connection.client & QuotaCommands;

  // The window is part of the key: while two revisions disagree about it, neither disturbs the other.
  const keyOf = ({ key, window }: Former) => `${keyPrefix}${key}:${windowName(window)}`;
  /**
   * Holds that were given and not settled: nobody has told a server of their end, so that one which it does not know was lost. By
   * name, because a worker settles a copy of what it was given.
   */
  const unsaid = new Set<string>();
  const clock = () => (options.now === undefined ? {} : { now: Math.floor(options.now()) });

  const written = (keys: readonly string[], demands: readonly AskedDemand[], receipt?: string) => {
    const request = JSON.stringify({ ...clock(), demands });
    return [keys.length, ...keys, request, ...(receipt === undefined ? [] : [receipt])] as const;
  };
  const takings = new SureTakings(
    {
      take: (...asked) => connection.ask(() => commands.quotaTake(...written(...asked))),
      giveBack: (...asked) => connection.ask(() => commands.quotaGiveBack(...written(...asked))),
    },
    keyPrefix,
  );

  async function take(demands: readonly Demand[], around = options.now?.() ?? Date.now()): Promise<readonly Taking[]> {
    const keys = demands.map(keyOf);
    const asked = demands.map((demand) => {
      const { was, window } = demand;
      if (was === undefined) return withHold(demand, around);
      const isSame = windowName(was.window) === windowName(window);
      // Where the script finds it among the keys, from 1 on.
      const former = { was: keys.push(keyOf(was)), ...(!isSame && { wasWindow: windowFor(was.window, around) }) };
      return { ...withHold(demand, around), ...former };
    });
    const answer = await takings.take({ keys, demands: asked });
    // The server's clock and ours are a whole span apart: asked again with spans around its own time.
    if ('serverTime' in answer && answer.serverTime !== around) return take(demands, answer.serverTime);
    if ('serverTime' in answer) throw new StoreUnavailable('redis: its time is in no span around it');
    for (const { hold } of answer.takings) if (hold !== undefined) unsaid.add(hold);
    return answer.takings;
  }

  async function settle(settlements: readonly Settlement[]): Promise<void> {
    const keys = settlements.map(({ demand }) => keyOf(demand));
    const first = settlements.map(({ taking: { hold } }) => hold !== undefined && unsaid.delete(hold));
    const said = settlements.map((each, index) => ({ ...settledOf(each), first: first[index] }));
    const request = JSON.stringify({ ...clock(), settlements: said });
    try {
      await connection.ask(() => commands.quotaSettle(keys.length, ...keys, request));
    } catch (error) {
      if (error instanceof StoreUnavailable && error.isUndone)
        for (const [index, { taking }] of settlements.entries())
          if (first[index] && taking.hold !== undefined) unsaid.add(taking.hold);
      throw error;
    }
  }

  return {
    async take(demands) {
      checkDemands(demands);
      return demands.length === 0 ? [] : take(demands);
    },

    async settle(settlements) {
      checkSettlements(settlements);
      if (settlements.length > 0) await settle(settlements);
    },

    async read(counts) {
      const demands = counts.map(asReading);
      checkDemands(demands);
      return demands.length === 0 ? [] : take(demands);
    },

    async close() {
      await takings.close();
      await connection.close();
    },
  };
}

/** A window in terms that need no calendar. */
function windowFor(window: Window, around: number) {
  if (window.kind === 'none') return { stepMs: 0, reachMs: 0 };
  if (window.kind !== 'calendar') return { ...rhythmOf(window), reachMs: reachOf(window) };
  const current = spanAt(window, around);
  const spans = [spanAt(window, current.start - 1), current, spanAt(window, current.end)];
  return { spans: spans.map(({ start, end }) => [start, end]), reachMs: 0 };
}

function withHold({ limit, amount, window, holdMs }: Demand, around: number) {
  const hold = holdMs === undefined ? undefined : randomUUID();
  return { limit, amount, window: windowFor(window, around), ...(hold !== undefined && { hold, holdMs }) };
}

function settledOf({ demand, taking, spent }: Settlement) {
  const { start, hold } = taking;
  const { end } = spanAt(demand.window, start);
  // What runs at the same time is over when it is settled.
  const finish = Number.isFinite(end) ? end : 0;
  return { start, finish, amount: demand.amount, spent, ...(hold !== undefined && { hold }) };
}
