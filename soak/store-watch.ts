/** Asks Redis from a second place whether it answers: a machine that is short of time looks to a gateway like a store that is away. */
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Well below what a gateway waits for an answer. */
const slowMs = 150;
const everyMs = 100;

function pinged(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    // It may have closed between two questions, and would not say so again.
    if (socket.destroyed) return reject(new Error('closed'));
    const onClose = () => reject(new Error('closed'));
    socket.once('close', onClose);
    socket.once('data', () => {
      socket.off('close', onClose);
      resolve();
    });
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
