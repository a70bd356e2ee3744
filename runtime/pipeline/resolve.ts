/** From the name the client asked for to the model, its rendered prompt and the targets in the order to try them. */
import type { JsonObject } from '../call.ts';
import { HeadgateError } from '../errors.ts';
import type { Accepted, Exchange, Resolved } from '../exchange.ts';
import type { LiveModel, LiveTarget, ReadValue } from '../generation/live.ts';
import { conversationKinds, type ModelKind } from '../model-kind.ts';
import { circumstancesOf } from './asking.ts';
import { noteLostCall } from './losses.ts';
import { speaks } from './outgoing.ts';
import { refusalOf, withheld } from './withheld.ts';

/** Node reads header bytes as Latin-1; what was sent as UTF-8 is read as such. */
function headerText(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

function valueReader({ request, body }: Accepted<Exchange>): ReadValue {
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

/** What is asked of a model's targets. */
export interface Purpose {
  /** Models of these kinds can be asked for it. */
  readonly kinds: readonly ModelKind[];
  /** Whether a provider that is connected has an API for it; where nothing is said, each has one. */
  readonly answers?: (target: LiveTarget) => boolean;
  /** Where none has: why, when there is more to say than that. */
  readonly refusal?: (model: LiveModel) => HeadgateError;
}

/** An answer to a conversation. One that only its own dialect can tell is not translated. */
export function conversation({ call, dialect }: Accepted): Purpose {
  const [param] = call.nativeOnly ?? [];
  if (param === undefined) return { kinds: conversationKinds };
  return {
    kinds: conversationKinds,
    answers: (target) => speaks(target, dialect),
    refusal: ({ name }) =>
      new HeadgateError(
        'invalid_request',
        `${param} only means something to a provider that answers this API itself, and no target of model '${name}' does: leave it out, and send what it stands for.`,
        { param },
      ),
  };
}

export function targetsOf(model: LiveModel, purpose: Purpose, exchange: Accepted<Exchange>): LiveTarget[] {
  const { kinds, answers = () => true, refusal } = purpose;
  const all = model.order(circumstancesOf(exchange));
  const object = `models.${model.name}`;
  if (all.length === 0)
    throw new HeadgateError(
      'no_target_available',
      `No target of model '${model.name}' is for a request like this one: each stands under a condition, or at a provider that such a request may not go to, or cannot do what is asked for.`,
      { object },
    );
  const suited = all.filter(({ kind }) => kinds.includes(kind));
  const [first] = all;
  if (first && suited.length === 0)
    throw new HeadgateError(
      'operation_not_supported',
      `Model '${model.name}' is for ${first.kind}; what you asked for needs one for ${kinds[0] ?? 'it'}.`,
      { param: 'model', object },
    );
  const live = suited.filter(({ provider }) => provider.live !== undefined);
  if (live.length === 0)
    throw new HeadgateError(
      'no_target_available',
      `No target of model '${model.name}' is in rotation: a secret it needs is absent.`,
    );
  const able = live.filter(answers);
  if (able.length > 0) return able;
  if (refusal) throw refusal(model);
  throw new HeadgateError(
    'operation_not_supported',
    `No provider behind model '${model.name}' has an API for what you asked for.`,
    { param: 'model', object },
  );
}

function resolved<E extends Accepted<Exchange>>(
  exchange: E,
  read: ReadValue,
  purpose: Purpose,
): E & Omit<Resolved<Exchange>, keyof Accepted<Exchange>> {
  const { call, consumer, generation, outcome } = exchange;
  const model = generation.tables.models.get(call.model);
  if (!model)
    throw new HeadgateError(
      'model_not_found',
      `No model named '${call.model}' is configured; GET /v1/models lists them.`,
      { param: 'model' },
    );
  outcome.matched = `model:${model.name}`;
  const what = withheld(consumer, model.name, generation.tables);
  if (what === 'prompt') outcome.prompt = model.prompt;
  if (what !== undefined) throw refusalOf(what, model.name, exchange);
  const targets = targetsOf(model, purpose, exchange);
  for (const { label } of targets) outcome.order.push(label);
  outcome.prompt = model.prompt;
  const prepend = model.render?.(read) ?? [];
  return Object.assign(exchange, { model, targets, prepend });
}

export function resolve<E extends Accepted<Exchange>>(exchange: E, purpose: Purpose): ReturnType<typeof resolved<E>> {
  const read = valueReader(exchange);
  try {
    return resolved(exchange, read, purpose);
  } catch (error) {
    const serves = (target: LiveTarget) => purpose.kinds.includes(target.kind) && (purpose.answers?.(target) ?? true);
    noteLostCall(exchange, { read, serves }, error);
    throw error;
  }
}
