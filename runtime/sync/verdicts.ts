/**
 * What replicas tell each other: commits that one of them found bad. A set and no flag, so that each reads it whenever it
 * looks; when the store does not answer, each decides alone.
 */
import type { Log } from '../log.ts';
import { connectRedis } from '../redis/connection.ts';

export interface SharedVerdicts {
  /** Why another replica took this commit back; undefined when none did, or nobody can say. */
  on(commit: string): Promise<string | undefined>;
  /** Tells the others. Never rejects: what cannot be told is decided by each alone. */
  condemn(commit: string, detail: string): Promise<void>;
  /** An operator wants it tried again: replicas that have not tried it themselves may. */
  forgive(commit: string): Promise<void>;
  /**
   * Asks to be the one that tries `commit` first, or to stay it. `passed`: it need not be tried first any more. Undefined:
   * nobody can say, and each decides alone.
   */
  claim(commit: string): Promise<'mine' | 'others' | 'passed' | undefined>;
  /** It did well where it was tried first. */
  pass(commit: string): Promise<void>;
  /** It is not tried here after all. */
  release(commit: string): Promise<void>;
  /** Undefined where nothing is shared. */
  readonly isReachable: boolean | undefined;
  close(): Promise<void>;
}

export const noSharedVerdicts: SharedVerdicts = {
  on: () => Promise.resolve(undefined),
  condemn: () => Promise.resolve(),
  forgive: () => Promise.resolve(),
  claim: () => Promise.resolve(undefined),
  pass: () => Promise.resolve(),
  release: () => Promise.resolve(),
  isReachable: undefined,
  close: () => Promise.resolve(),
};

const key = 'headgate:verdicts';
const trialKey = (commit: string): string => `headgate:trial:${commit}`;
/** Whoever tries a revision and says nothing for this long is gone. */
const leaseMs = 6_000;
const keptSeconds = 30 * 86_400;
const timeoutMs = 300;

export interface RedisVerdictsOptions {
  readonly url: string;
  readonly log: Log;
  /** Tells replicas apart. */
  readonly replica: string;
  /** What this replica found bad: told again to a store that may have forgotten it, or was away when it was found. */
  readonly known: () => Readonly<Record<string, string>>;
}

export function redisVerdicts({ url, log, replica, known }: RedisVerdictsOptions): SharedVerdicts {
  const connection = connectRedis(url, timeoutMs);
  const { client } = connection;
  let silent = false;
  const ask = async <Answer>(command: () => Promise<Answer>): Promise<Answer | undefined> => {
    try {
      const answer = (await connection.ask(command)) as Answer;
      silent = false;
      return answer;
    } catch (error) {
      // Once: it is asked often, and it is the same outage.
      if (!silent)
        log.warn(
          { event: 'verdicts_unavailable', reason: (error as Error).message },
          'replicas cannot tell each other: each decides alone',
        );
      silent = true;
      return undefined;
    }
  };

  const tellKnown = async () => {
    for (const [commit, detail] of Object.entries(known())) await ask(() => client.hsetnx(key, commit, detail));
    await ask(() => client.expire(key, keptSeconds));
  };
  client.on('ready', () => void tellKnown());
  return {
    on: async (commit) => (await ask(() => client.hget(key, commit))) ?? undefined,
    async condemn(commit, detail) {
      await ask(() => client.hset(key, commit, detail));
      await ask(() => client.expire(key, keptSeconds));
    },
    forgive: async (commit) => {
      await ask(() => client.hdel(key, commit));
    },
    async claim(commit) {
      const at = trialKey(commit);
      if ((await ask(() => client.set(at, replica, 'PX', leaseMs, 'NX'))) === 'OK') return 'mine';
      const holder = await ask(() => client.get(at));
      if (holder === 'passed') return 'passed';
      if (holder === replica) {
        await ask(() => client.pexpire(at, leaseMs));
        return 'mine';
      }
      return typeof holder === 'string' ? 'others' : undefined;
    },
    async pass(commit) {
      await ask(() => client.set(trialKey(commit), 'passed', 'EX', keptSeconds));
    },
    async release(commit) {
      if ((await ask(() => client.get(trialKey(commit)))) === replica) await ask(() => client.del(trialKey(commit)));
    },
    get isReachable() {
      return !silent;
    },
    close: () => connection.close(),
  };
}
