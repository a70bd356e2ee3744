/** The forwarder of a process, loaded with its first API request: most gateways have models only, and it brings a framework along. */
import type { Forwarder } from './forward.ts';
import type { Pools } from './pools.ts';

export function forwarderOver(pools: Pools): Forwarder {
  let loaded: Promise<Forwarder> | undefined;
  return {
    async forward(forwarding) {
      const forwarder = await (loaded ??= import('./forward.ts').then(({ createForwarder }) => createForwarder(pools)));
      return forwarder.forward(forwarding);
    },
    close: async () => (await loaded)?.close(),
  };
}
