/** All that is decided about an API request before its upstream is asked: the same live and in explanations. */
import { HeadgateError } from '../errors.ts';
import type { Exchange, Identified, Reserved } from '../exchange.ts';
import type { LiveRoute, OfConsumer } from '../generation/live.ts';
import { forwardedMethods, hasBody } from '../upstream/request-shape.ts';
import { cureOf, whoMayNot } from './bound-key.ts';
import { identify } from './identify.ts';
import { longestRouteMs, reserve } from './reserve.ts';

export interface RouteExchange extends Exchange {
  readonly route: LiveRoute;
  /** As the client sent it, without the query; already free of dot segments. */
  readonly path: string;
}

export type RouteGuarded<E extends RouteExchange = RouteExchange> = Identified<E> & { readonly guarded: true };

function guard<E extends RouteExchange>(exchange: Identified<E>): RouteGuarded<E> {
  const { consumer, route, request } = exchange;
  const method = request.method ?? '';
  if (!forwardedMethods.includes(method))
    throw new HeadgateError('method_not_allowed', `API routes do not take ${method}.`);
  if ((method === 'GET' || method === 'HEAD') && hasBody(request))
    throw new HeadgateError('invalid_request', `A ${method} request has no body here.`);
  if (consumer.routes && !consumer.routes.has(route.name)) {
    const isAllowed = ({ routes }: OfConsumer) => routes === undefined || routes.includes(route.name);
    const { who, isKey } = whoMayNot(exchange, isAllowed);
    throw new HeadgateError(
      'route_not_allowed',
      `${who} may not use route '${route.name}'${cureOf(isKey, 'routes')}.`,
      {
        object: `consumers.${consumer.name}`,
      },
    );
  }
  if (Number(request.headers['content-length'] ?? 0) > route.maxBodyBytes) {
    throw new HeadgateError('body_too_large', `The body may have at most ${route.maxBodyBytes} bytes.`, {
      object: `routes.${route.name}`,
    });
  }
  return Object.assign(exchange, { guarded: true as const });
}

export async function admitRoute<E extends RouteExchange>(exchange: E): Promise<Reserved<RouteGuarded<E>>> {
  exchange.outcome.matched = `route:${exchange.route.name}`;
  const identified = identify(exchange); // who is asking?            401
  const guarded = guard(identified); // route allowed? size?          403, 413
  const { quotas } = exchange.route;
  return reserve(guarded, { quotas, longestMs: longestRouteMs }); //  429, 503
}
