/** The whole story of an API request: the same identity, quota and settlement as a model request, the bodies passed as streams. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asHeadgateError, HeadgateError } from '../errors.ts';
import { pathAtUpstream } from '../generation/routes.ts';
import { causeInWords } from '../log.ts';
import type { Forwarder } from '../upstream/forward.ts';
import { admitRoute, type RouteExchange, type RouteGuarded } from './admit-route.ts';
import { settle } from './settle.ts';

export interface ApiExchange extends RouteExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly forwarder: Forwarder;
}

async function forward(exchange: RouteGuarded<ApiExchange>): Promise<void> {
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
      outcome.tried.push({ target: upstream.name, ended: kind });
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
  const reserved = await admitRoute(exchange); // who, may they, how much   4xx, 503
  let thrown: unknown;
  try {
    await forward(reserved); // bodies as streams                    502, 504
  } catch (error) {
    thrown = error;
    tellFailure(reserved, asHeadgateError(error));
    throw error;
  } finally {
    await settle(reserved, thrown);
  }
}
