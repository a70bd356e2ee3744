/**
 * Notes requests that a revision refuses and the one it is measured against would have served: a route that vanished, a
 * model that was renamed, a prompt that wants a value nobody sends. Asked only once a request is refused, and only as
 * long as a revision is judged.
 */
import type { RequestHead } from '../door.ts';
import type { ErrorCode } from '../errors.ts';
import { HeadgateError } from '../errors.ts';
import type { Accepted, Exchange } from '../exchange.ts';
import type { Generation } from '../generation/generation.ts';
import type { LiveTarget, ReadValue } from '../generation/live.ts';
import { inTheDark } from '../generation/live-order.ts';
import { consumerOf } from './credentials.ts';
import { withheld } from './withheld.ts';

/** Refusals that a change of configuration brings about for a client that changed nothing. */
const lossy: ReadonlySet<ErrorCode> = new Set([
  'route_not_found',
  'method_not_allowed',
  'model_not_found',
  'operation_not_supported',
  'prompt_variable_missing',
  'invalid_request',
  'no_target_available',
]);

/** Who asked, as the other revision knows him: a stranger's requests are no evidence. */
function formerly(generation: Generation, request: RequestHead) {
  const tables = generation.measure?.against.tables;
  const consumer = tables && consumerOf(tables, request.headers);
  return tables && consumer && { tables, consumer };
}

/** For a request that came to no route. Returns what it was lost from. */
export function noteLostRoute(
  generation: Generation,
  request: RequestHead,
  { host, path, code }: { readonly host: string; readonly path: string; readonly code: ErrorCode },
): string | undefined {
  const before = lossy.has(code) ? formerly(generation, request) : undefined;
  const match = before?.tables.matchRoute(request.method ?? '', host, path);
  if (!before || !match || !('route' in match) || before.consumer.routes?.has(match.route.name) === false)
    return undefined;
  const object = `routes.${match.route.name}`;
  generation.health.lost(object, code);
  return object;
}

/** For a call that was refused before it was asked of any target. */
export function noteLostCall(
  { generation, request, call, outcome }: Accepted<Exchange>,
  { read, serves }: { readonly read: ReadValue; readonly serves: (target: LiveTarget) => boolean },
  error: unknown,
): void {
  if (!(error instanceof HeadgateError) || !lossy.has(error.code)) return;
  const before = formerly(generation, request);
  if (!before || withheld(before.consumer, call.model, before.tables) !== undefined) return;
  const model = before.tables.models.get(call.model);
  if (!model?.order(inTheDark(() => 0)).some((target) => target.provider.live !== undefined && serves(target))) return;
  try {
    model.render?.(read);
  } catch {
    return;
  }
  outcome.lost = `models.${model.name}`;
  generation.health.lost(outcome.lost, error.code);
}
