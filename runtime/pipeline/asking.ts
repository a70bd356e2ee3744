/** What a strategy of balancing may know of a request, and of the process that serves it. */
import type { Asking, Circumstances } from '../balancing/balancer.ts';
import type { JsonObject } from '../call.ts';
import { messageTokens, tokensBeside } from '../context/message-tokens.ts';
import type { Accepted, Exchange } from '../exchange.ts';

/** An entry of the body's `metadata`. Applications write marks there that are no texts. */
export function metadataOf({ metadata }: JsonObject, name: string): string | undefined {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined;
  const value = Object.hasOwn(metadata, name) ? (metadata as JsonObject)[name] : undefined;
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? `${value}` : undefined;
}

export function askingOf({
  call,
  body,
  consumer,
  request,
}: Pick<Accepted<Exchange>, 'call' | 'body' | 'consumer' | 'request'>): Asking {
  let tokens: number | undefined;
  return {
    consumer: consumer.name,
    consumerTags: consumer.tags,
    claims: consumer.credential.claims,
    call,
    metadata: (name) => metadataOf(body, name),
    header: (name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? value : undefined;
    },
    // Long conversations take their time to count, and most strategies never ask.
    tokens: () => (tokens ??= call.messages.reduce((sum, message) => sum + messageTokens(message), tokensBeside(call))),
  };
}

export function circumstancesOf(exchange: Accepted<Exchange>): Circumstances {
  const { upstreams, random } = exchange.house;
  return {
    at: exchange.outcome.startedAt,
    random,
    asking: askingOf(exchange),
    load: (upstream) => upstreams.load(upstream),
    latencyMs: (upstream, answer) => upstreams.latencyMs(upstream, answer),
    turn: (group) => upstreams.turn(group),
  };
}
