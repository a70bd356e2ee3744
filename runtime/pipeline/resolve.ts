/** From the name the client asked for to the model, its rendered prompt and the targets in the order to try them. */
import type { JsonObject } from '../call.ts';
import { HeadgateError } from '../errors.ts';
import type { Accepted, Resolved } from '../exchange.ts';
import type { LiveConsumer, ReadValue } from '../generation/generation.ts';
import { noteLostCall } from './losses.ts';
import { canTake } from './outgoing.ts';

/** Whether `consumer` may use `model`. Listing and calling must agree, so both ask here. */
export function mayUse(consumer: LiveConsumer, model: string): boolean {
  return consumer.models === undefined || consumer.models.has(model);
}

/** Node reads header bytes as Latin-1; what was sent as UTF-8 is read as such. */
function headerText(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

function valueReader({ request, body }: Accepted): ReadValue {
  return (from, name) => {
    if (from === 'header') {
      const value = request.headers[name.toLowerCase()];
      return typeof value === 'string' ? headerText(value) : undefined;
    }
    const metadata = body['metadata'] as JsonObject | null | undefined;
    const value =
      typeof metadata === 'object' && metadata !== null && Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  };
}

function resolved(exchange: Accepted, read: ReadValue): Resolved {
  const { call, consumer, generation, house, outcome } = exchange;
  const model = generation.tables.models.get(call.model);
  if (!model)
    throw new HeadgateError(
      'model_not_found',
      `No model named '${call.model}' is configured; GET /v1/models lists them.`,
      { param: 'model' },
    );
  outcome.matched = `model:${model.name}`;
  if (!mayUse(consumer, model.name))
    throw new HeadgateError('model_not_allowed', `Consumer '${consumer.name}' may not use model '${model.name}'.`, {
      param: 'model',
      object: `consumers.${consumer.name}`,
    });
  const inRotation = model.order(house.random).filter(({ provider }) => provider.live !== undefined);
  if (inRotation.length === 0)
    throw new HeadgateError(
      'no_target_available',
      `No target of model '${model.name}' is in rotation: a secret it needs is absent.`,
    );
  const targets = inRotation.filter((target) => canTake(target, exchange));
  const [param] = call.nativeOnly ?? [];
  if (targets.length === 0 && param !== undefined)
    throw new HeadgateError(
      'invalid_request',
      `${param} only means something to a provider that answers this API itself, and no target of model '${model.name}' does: leave it out, and send what it stands for.`,
      { param },
    );
  for (const { label } of targets) outcome.order.push(label);
  outcome.prompt = model.prompt;
  const prepend = model.render?.(read) ?? [];
  return Object.assign(exchange, { model, targets, prepend });
}

export function resolve(exchange: Accepted): Resolved {
  const read = valueReader(exchange);
  try {
    return resolved(exchange, read);
  } catch (error) {
    noteLostCall(exchange, read, error);
    throw error;
  }
}
