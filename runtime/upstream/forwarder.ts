/** The forwarder of a process, loaded with its first API request: most gateways have models only, and it brings a framework along. */
import { LateLoad } from '../late-load.ts';
import type { Forwarder } from './forward.ts';
import type { Pools } from './pools.ts';

export function forwarderOver(pools: Pools): Forwarder {
  const loaded = new LateLoad(async () => (await import('./forward.ts')).createForwarder(pools));
  return {
    async forward(forwarding) {
      const forwarder = await loaded.get();
      return forwarder.forward(forwarding);
    },
    async close() {
      const forwarder = await loaded.known();
      await forwarder?.close();
    },
  };
}
