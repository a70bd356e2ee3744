/** Hears from sentinels that another server has become the master, while the old one may still answer. */
import { Redis } from 'ioredis';
import type { Place, RedisAddress } from './address.ts';

const switched = '+switch-master';

interface Watching {
  readonly timeoutMs: number;
  readonly reconnectAfter: (attempt: number) => number;
  /** With the new master. */
  readonly onSwitch: (to: Place) => void;
}

/** Gives what ends the watch. A sentinel that is away is missed no more than the others are: each of them says it. */
export function watchSentinels(
  { places, master, isSecure }: RedisAddress,
  { timeoutMs, reconnectAfter, onSwitch }: Watching,
): () => void {
  const sentinels = places.map((place) => {
    const sentinel = new Redis({
      ...place,
      ...(isSecure && { tls: {} }),
      connectTimeout: 2 * timeoutMs,
      // A sentinel knows no such command, and is ready once it is reached.
      enableReadyCheck: false,
      keepAlive: 5_000,
      retryStrategy: reconnectAfter,
      // It is subscribed to however late it comes.
      maxRetriesPerRequest: null,
    });
    // The client prints what it has no listener for. That sentinels are away is told where one is needed.
    sentinel.on('error', () => undefined);
    sentinel.on('message', (_, words: string) => {
      // Whose it is, the old master's address and the new one's.
      const [name, , , host = '', port] = words.split(' ');
      if (name === master) onSwitch({ host, port: Number(port) });
    });
    sentinel.subscribe(switched).catch(() => undefined);
    return sentinel;
  });
  return () => {
    for (const sentinel of sentinels) sentinel.disconnect();
  };
}
