/**
 * Where a model is strict: a target that cannot carry all of what was asked is passed over before anything is spent, and
 * nothing is left out on the way to those that remain.
 */
import { HeadgateError } from '../errors.ts';
import type { Exchange, Resolved } from '../exchange.ts';
import type { LiveTarget } from '../generation/live.ts';

/** A client can send any number of fields. */
const mostNamed = 20;

function named(fields: readonly string[]): readonly string[] {
  const all = [...new Set(fields)].toSorted();
  const more = all.length - mostNamed;
  return more > 0 ? [...all.slice(0, mostNamed), `${more} more`] : all;
}

/** What `target` would not get; also a field with a value that its vendor does not take. */
function lostAt(target: LiveTarget, dropped: (target: LiveTarget) => readonly string[]): readonly string[] {
  try {
    return dropped(target);
  } catch (error) {
    if (error instanceof HeadgateError && error.param !== undefined) return [error.param];
    throw error;
  }
}

/** `dropped`: what could not be carried to a target, as it is written for it. */
export function carry<E extends Resolved<Exchange>>(
  exchange: E,
  dropped: (target: LiveTarget) => readonly string[],
): E {
  const { model, outcome } = exchange;
  if (!model.isStrict) return exchange;
  const able: LiveTarget[] = [];
  for (const target of exchange.targets) {
    const fields = named(lostAt(target, dropped));
    if (fields.length === 0) able.push(target);
    else outcome.unable.push({ target: target.label, fields });
  }
  if (able.length === 0) {
    const reasons = outcome.unable.map(({ target, fields }) => `${target} cannot carry ${fields.join(', ')}`);
    throw new HeadgateError(
      'not_carried',
      `Model '${model.name}' is strict, and no target of it takes all of this request: ${reasons.join('; ')}. Leave out what one of them cannot carry.`,
      { param: outcome.unable[0]?.fields[0], noRetry: true, object: `models.${model.name}` },
    );
  }
  outcome.order.splice(0, outcome.order.length, ...able.map(({ label }) => label));
  return Object.assign(exchange, { targets: able });
}
