/** A network between a client and a server, which a test makes slow or cuts: what is on its way arrives late, as with TCP. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** `asked` is what goes to the server, `answered` what comes from it. */
export type Way = 'asked' | 'answered';

export interface Proxy {
  readonly port: number;
  /** What goes this way takes so much longer from now on. */
  delay(way: Way, ms: number): void;
  /** Nothing goes this way until `heal`. */
  hold(way: Way): void;
  /** The same for the connections that there are; new ones are free. */
  strand(way: Way): void;
  /** What was held arrives, and all that comes after it at once. */
  heal(): void;
  /** All connections end, and what is on its way is lost. */
  cut(): void;
  close(): Promise<void>;
}

/** What waits on one connection. */
type Held = Partial<Record<Way, PromiseWithResolvers<void>>>;

export async function startProxy(to: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const delays: Record<Way, number> = { asked: 0, answered: 0 };
  const closed = new Set<Way>();
  const lines = new Set<Held>();

  async function carry(way: Way, { from, onto, held }: { from: Socket; onto: Socket; held: Held }): Promise<void> {
    try {
      for await (const bytes of from) {
        await held[way]?.promise;
        if (delays[way] > 0) await wait(delays[way]);
        if (!onto.destroyed) onto.write(bytes as Buffer);
      }
      await held[way]?.promise;
      onto.end();
    } catch {
      onto.destroy();
    }
  }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
    }
    const held: Held = {};
    lines.add(held);
    for (const way of closed) held[way] = Promise.withResolvers();
    const carried = [
      carry('asked', { from: client, onto: upstream, held }),
      carry('answered', { from: upstream, onto: client, held }),
    ];
    void Promise.all(carried).then(() => lines.delete(held));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const strand = (way: Way) => {
    for (const held of lines) held[way] ??= Promise.withResolvers();
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    delay: (way, ms) => void (delays[way] = ms),
    hold(way) {
      closed.add(way);
      strand(way);
    },
    strand,
    heal() {
      closed.clear();
      for (const way of ['asked', 'answered'] as const) {
        delays[way] = 0;
        for (const held of lines) {
          held[way]?.resolve();
          delete held[way];
        }
      }
    },
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
