/** The model's policies over what goes in. The first that refuses ends the request; others keep it to some of its targets. */
import { gathered } from '../call.ts';
import { HeadgateError } from '../errors.ts';
import type { Exchange, Resolved } from '../exchange.ts';

/** Of the targets that are left, those at providers with all `tags`. */
function confine({ targets, outcome, model }: Resolved<Exchange>, policy: string, tags: readonly string[]) {
  const left = targets.filter((target) => tags.every((tag) => target.tags.includes(tag)));
  if (left.length === 0)
    throw new HeadgateError(
      'no_target_available',
      `Policy '${policy}' keeps this request to some providers, and no target of model '${model.name}' that may serve it is at one.`,
      { object: `policies.${policy}` },
    );
  outcome.confinedBy.push(policy);
  outcome.order.splice(0, outcome.order.length, ...left.map(({ label }) => label));
  return left;
}

export function guard<E extends Resolved<Exchange>>(exchange: E): E & { readonly guarded: true } {
  const { policies } = exchange.model;
  if (policies.length === 0) return Object.assign(exchange, { guarded: true as const });
  const call = gathered(exchange.call);
  for (const { name, check } of policies) {
    const verdict = check(call);
    if (!verdict.pass)
      throw new HeadgateError('blocked_by_policy', `Policy '${name}' refuses this request: ${verdict.reason}.`, {
        noRetry: true,
        object: `policies.${name}`,
      });
    if (verdict.only) Object.assign(exchange, { targets: confine(exchange, name, verdict.only) });
    exchange.outcome.passed.push(name);
  }
  return Object.assign(exchange, { guarded: true as const });
}
