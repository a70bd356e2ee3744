/** The whole story of an API request: the same identity, quota and settlement as a model request, the bodies passed as streams. */
import type { ServerResponse } from 'node:http';
import { asHeadgateError, HeadgateError } from '../errors.ts';
import type { Exchange, Identified } from '../exchange.ts';
import type { LiveRoute } from '../generation/generation.ts';
import { pathAtUpstream } from '../generation/routes.ts';
import { causeInWords } from '../log.ts';
import { forwardedMethods, hasBody, type Forwarder } from '../upstream/forward.ts';
import { identify } from './identify.ts';
import { reserve } from './reserve.ts';
import { settle } from './settle.ts';

export interface ApiExchange extends Exchange {
  readonly route: LiveRoute;
  readonly response: ServerResponse;
  /** As the client sent it, without the query; already free of dot segments. */
  readonly path: string;
  readonly forwarder: Forwarder;
}

type Guarded = Identified<ApiExchange> & { readonly guarded: true };

function guard(exchange: Identified<ApiExchange>): Guarded {
  const { consumer, route, request } = exchange;
  const method = request.method ?? '';
  if (!forwardedMethods.includes(method))
    throw new HeadgateError('method_not_allowed', `API routes do not take ${method}.`);
  if ((method === 'GET' || method === 'HEAD') && hasBody(request))
    throw new HeadgateError('invalid_request', `A ${method} request has no body here.`);
  if (consumer.routes && !consumer.routes.has(route.name)) {
    throw new HeadgateError('route_not_allowed', `Consumer '${consumer.name}' may not use route '${route.name}'.`);
  }
  if (Number(request.headers['content-length'] ?? 0) > route.maxBodyBytes) {
    throw new HeadgateError('body_too_large', `The body may have at most ${route.maxBodyBytes} bytes.`);
  }
  return Object.assign(exchange, { guarded: true as const });
}

async function forward(exchange: Guarded): Promise<void> {
  const { route, request, response, path, signal, outcome, house, consumer, id, generation, reply } = exchange;
  const { upstream } = route;
  if (!upstream.headers) {
    throw new HeadgateError(
      'no_target_available',
      `Upstream '${upstream.name}' is out of rotation: a secret it needs is absent.`,
    );
  }
  outcome.target = upstream.name;
  reply.header('headgate-target', upstream.name);
  await exchange.forwarder.forward({
    request,
    response,
    route,
    path: pathAtUpstream(route, path),
    signal,
    random: house.random,
    headers: {
      ...upstream.headers,
      'x-request-id': id,
      'headgate-consumer': consumer.name,
      'headgate-revision': generation.revision.short,
      'x-forwarded-for': request.socket.remoteAddress ?? '',
      'x-forwarded-host': request.headers.host ?? '',
      'x-forwarded-proto': 'http',
    },
    onAttempt: (kind) => {
      outcome.attempts += 1;
      house.metrics.attempts.inc({ target: upstream.name, outcome: kind });
      const label = `upstream:${upstream.name}`;
      if (kind === 'answered') {
        reply.header('headgate-attempts', String(outcome.attempts));
        generation.health.answered(label);
      } else if (kind === 'network') generation.health.blamed(label, 'network');
    },
  });
}

/** The client learns that it failed, the log also why. */
function tellFailure({ id, house, generation, route }: ApiExchange, { code, cause }: HeadgateError): void {
  if (!code.startsWith('upstream_')) return;
  const told = { request: id, revision: generation.revision.short, target: route.upstream.name, failure: code };
  house.log.warn({ event: 'attempt_failed', ...told, cause: causeInWords(cause) }, 'attempt failed');
}

export async function apiLine(exchange: ApiExchange): Promise<void> {
  exchange.outcome.matched = `route:${exchange.route.name}`;
  const identified = identify(exchange); // who is asking?            401
  const guarded = guard(identified); // route allowed? size?          403, 413
  const reserved = await reserve(guarded, exchange.route.quotas); //  429, 503
  let thrown: unknown;
  try {
    await forward(reserved); // bodies as streams                      502, 504
  } catch (error) {
    thrown = error;
    tellFailure(reserved, asHeadgateError(error));
    throw error;
  } finally {
    await settle(reserved, thrown);
  }
}
