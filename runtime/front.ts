/** The data plane of one process: from a connection to a request that has ended. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { AddressRanges } from './address-ranges.ts';
import { clientAddress } from './client-address.ts';
import { Visits, type Closers } from './closers.ts';
import { openDataPlane, type DataPlane } from './data-plane.ts';
import { visitEdge, type Edge } from './edge.ts';
import { HeadgateError } from './errors.ts';
import type { Activator } from './generation/activator.ts';
import type { Ledger } from './ledger/ledger.ts';
import { accessLogOf, type Log } from './log.ts';
import { pick } from './pipeline/pick.ts';
import type { QuotaStore } from './quota/store.ts';
import { watched } from './quota/watched.ts';
import type { Load, Serving } from './serving.ts';
import type { Settings } from './settings.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { RecentRequests } from './telemetry/recent-requests.ts';
import { Tokens } from './tokens/tokens.ts';
import { forwarderOver } from './upstream/forwarder.ts';
import type { Pools } from './upstream/pools.ts';
import { Upstreams } from './upstream/upstreams.ts';

/** Process-lifetime parts that the data plane uses. */
export interface FrontParts {
  readonly settings: Settings;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly pools: Pools;
  readonly quotas: QuotaStore;
  readonly ledger: Ledger;
  readonly activator: Activator;
  /** Told of each request whose consumer is known; default: the activator is. */
  readonly ended?: Edge['ended'];
}

export interface Front extends Serving {
  /** Takes connections from now on. */
  listen(): Promise<DataPlane>;
  /** Writes into the metrics what is only looked at when somebody asks. */
  measure(): void;
}

/** As the metric shows them. */
const breakerStates = { closed: 0, half_open: 1, open: 2 } as const;

const cold = () => new HeadgateError('not_ready', 'No verified configuration is active yet.', { retryAfterMs: 1_000 });

/** What it starts is ended by `closers`. */
export async function createFront(parts: FrontParts, closers: Closers): Promise<Front> {
  const { settings, log, metrics, pools, quotas, ledger, activator } = parts;
  const forwarder = closers.add(forwarderOver(pools));
  const recent = new RecentRequests();
  const upstreams = new Upstreams();
  const tokens = new Tokens({ now: Date.now, log });
  const proxies = new AddressRanges(settings.trustedProxies);
  const serving = (headers: IncomingHttpHeaders) => {
    const { current, staging } = activator;
    return current ? pick({ current, staging }, headers) : cold();
  };
  const edge: Edge = {
    house: { log, metrics, quotas: watched(quotas, log), upstreams, random: Math.random, now: Date.now },
    forwarder,
    recent,
    access: accessLogOf(log),
    inFlight: 0,
    ledger,
    serving: (headers) => {
      const learning = tokens.learn(headers, () => [activator.current, activator.stable]);
      return learning ? learning.then(() => serving(headers)) : serving(headers);
    },
    addressOf: ({ socket, headers }) => clientAddress(socket.remoteAddress, headers, proxies),
    ended: parts.ended ?? ((generation, end) => activator.ended(generation, end)),
  };
  const loadNow = (): Load => ({
    inFlight: activator.stable?.inFlight ?? 0,
    generationsLive: activator.live,
    targets: upstreams.health(activator.current?.tables.compared.targetLabels ?? new Set()),
  });
  let isListening = false;
  const measure = () => {
    metrics.breakerState.reset();
    metrics.upstreamWaiting.reset();
    metrics.inFlight.set(edge.inFlight);
    for (const { target, state, waiting } of loadNow().targets) {
      metrics.breakerState.set({ target }, breakerStates[state]);
      metrics.upstreamWaiting.set({ target }, waiting);
    }
  };
  return {
    isListening: () => isListening,
    async listen() {
      const visits = closers.add(new Visits());
      const handle = (request: IncomingMessage, response: ServerResponse) =>
        visits.add(visitEdge(edge, request, response));
      const listener = closers.add(await openDataPlane(settings, handle, { log, metrics }));
      isListening = true;
      return listener;
    },
    measure,
    load: async () => loadNow(),
    requests: async (most) => recent.list(most),
    request: async (id) => recent.find(id),
    metrics() {
      measure();
      return metrics.registry.metrics();
    },
  };
}
