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
  /** An operator wants it tried again, everywhere. */
  forgive(commit: string): Promise<void>;
  close(): Promise<void>;
}

export const noSharedVerdicts: SharedVerdicts = {
  on: () => Promise.resolve(undefined),
  condemn: () => Promise.resolve(),
  forgive: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

const key = 'headgate:verdicts';
const keptSeconds = 30 * 86_400;
const timeoutMs = 300;

export function redisVerdicts(url: string, log: Log): SharedVerdicts {
  const connection = connectRedis(url, timeoutMs);
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
  return {
    on: async (commit) => (await ask(() => connection.client.hget(key, commit))) ?? undefined,
    async condemn(commit, detail) {
      await ask(() => connection.client.hset(key, commit, detail));
      await ask(() => connection.client.expire(key, keptSeconds));
    },
    forgive: async (commit) => {
      await ask(() => connection.client.hdel(key, commit));
    },
    close: () => connection.close(),
  };
}
