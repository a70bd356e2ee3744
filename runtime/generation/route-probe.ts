/** Asks a route's probe of its upstream, the way a client's request would be sent there. */
import { plainPath } from '../door.ts';
import type { RouteProbe } from '../snapshot-probes.ts';
import { askStatus } from '../upstream/ask.ts';
import type { Answered, Asking } from './probe-answer.ts';
import type { LiveRoute } from './live.ts';
import { pathAtUpstream } from './routes.ts';

interface Named {
  readonly name: string;
  readonly host: string | undefined;
}

/** A status that a good upstream has in bad moments. */
const mayPass = (status: number): boolean => status === 408 || status === 429 || status >= 500;

type Result = number | 'network' | 'timeout';

async function statusOf(ask: (signal: AbortSignal) => Promise<number>, timeoutMs: number, tries = 2): Promise<Result> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await ask(timeout);
  } catch {
    if (timeout.aborted) return 'timeout';
    // One more try tells a moment from a state.
    return tries > 1 ? statusOf(ask, timeoutMs, tries - 1) : 'network';
  }
}

function judge(result: Result, route: LiveRoute, probe: RouteProbe, asking: Asking): Answered | undefined {
  const { name } = route.upstream;
  const question = `${probe.method} ${probe.path}`;
  if (result === probe.expectStatus) return undefined;
  if (result === 'timeout')
    return { verdict: 'unclear', found: `upstream ${name} did not answer ${question} in ${probe.timeout} ms` };
  if (result === 'network') {
    const isChanged = asking.changes.ofTarget(`upstream:${name}`, 'network') !== undefined && !asking.signal.aborted;
    return { verdict: isChanged ? 'refused' : 'unclear', found: `upstream ${name} could not be reached` };
  }
  const found = `upstream ${name} answers ${question} with ${result}, not ${probe.expectStatus}`;
  return { verdict: mayPass(result) ? 'unclear' : 'refused', found };
}

export async function askRoute(
  { name, host }: Named,
  probe: RouteProbe,
  asking: Asking,
): Promise<Answered | undefined> {
  const { method, path: asked } = probe;
  const query = asked.indexOf('?');
  const path = plainPath(query === -1 ? asked : asked.slice(0, query));
  const match = asking.candidate.tables.matchRoute(method, host ?? '', path);
  const route = match && 'route' in match ? match.route : undefined;
  if (route?.name !== name) {
    const where = route ? `routes.${route.name}` : 'no route';
    return { verdict: 'refused', found: `its path ${path} leads to ${where} for ${method}` };
  }
  const { origin, path: base, headers } = route.upstream;
  if (!headers)
    return { verdict: 'unclear', found: `upstream ${route.upstream.name} is out of rotation: a secret is absent` };
  const target = `${base}${pathAtUpstream(route, path)}${query === -1 ? '' : asked.slice(query)}`;
  const ask = (timeout: AbortSignal) => {
    const signal = AbortSignal.any([asking.signal, timeout]);
    return askStatus(asking.pools, { origin, path: target, method, headers, signal });
  };
  return judge(await statusOf(ask, probe.timeout), route, probe, asking);
}
