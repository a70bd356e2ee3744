/** What a strategy of balancing may know of a request, and of the process that serves it. */
import type { Asking, Circumstances } from '../balancing/balancer.ts';
import { messageTokens, tokensBeside } from '../context/message-tokens.ts';
import type { Accepted, Exchange } from '../exchange.ts';

export function askingOf({
  call,
  consumer,
  request,
}: Pick<Accepted<Exchange>, 'call' | 'consumer' | 'request'>): Asking {
  let tokens: number | undefined;
  return {
    consumer: consumer.name,
    call,
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
    random,
    asking: askingOf(exchange),
    load: (upstream) => upstreams.load(upstream),
    latencyMs: (upstream, answer) => upstreams.latencyMs(upstream, answer),
    turn: (group) => upstreams.turn(group),
  };
}
