/** Asks Redis from a second place whether it answers: a machine that is short of time looks to a gateway like a store that is away. */
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Well below what a gateway waits for an answer. */
const slowMs = 150;
const everyMs = 100;

function pinged(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('close', () => reject(new Error('closed')));
    socket.write('PING\r\n');
  });
}

/** Calls `onSlow` with the interval of each answer that was late or did not come. Gives what ends the watch. */
export function watchStore(port: number, onSlow: (from: number, to: number) => void): () => Promise<void> {
  let over = false;
  let socket: Socket | undefined;
  const watching = (async () => {
    while (!over) {
      const from = performance.now();
      try {
        // A refused connection is told by `close`, too.
        socket ??= connect(port, '127.0.0.1').on('error', () => undefined);
        await pinged(socket);
        socket.removeAllListeners('close');
      } catch {
        socket = undefined;
      }
      const to = performance.now();
      if (socket === undefined || to - from > slowMs) onSlow(from, to);
      await wait(everyMs);
    }
  })();
  return async () => {
    over = true;
    socket?.destroy();
    await watching;
  };
}
