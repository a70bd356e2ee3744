/** Where a cached answer would be found. No cache kind exists yet, so every call passes by and says so. */
import type { Exchange, Reserved } from '../exchange.ts';

export function lookup<E extends Reserved<Exchange>>(exchange: E): E & { readonly cache: 'bypass' } {
  exchange.reply.header('headgate-cache', 'bypass');
  exchange.outcome.cache = 'bypass';
  return Object.assign(exchange, { cache: 'bypass' as const });
}
