/** The model's policies over what goes in. The first that refuses ends the request. */
import { gathered } from '../call.ts';
import { HeadgateError } from '../errors.ts';
import type { Exchange, Resolved } from '../exchange.ts';

export function guard<E extends Resolved<Exchange>>(exchange: E): E & { readonly guarded: true } {
  const call = gathered(exchange.call);
  for (const { name, check } of exchange.model.policies) {
    const verdict = check(call);
    if (!verdict.pass)
      throw new HeadgateError('blocked_by_policy', `Policy '${name}' refuses this request: ${verdict.reason}.`, {
        noRetry: true,
        object: `policies.${name}`,
      });
    exchange.outcome.passed.push(name);
  }
  return Object.assign(exchange, { guarded: true as const });
}
