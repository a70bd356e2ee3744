/** Where a cached answer would be found. No cache kind exists yet, so every call passes by and says so. */
import type { Fitted, LookedUp, Reserved } from '../exchange.ts';

export function lookup(exchange: Reserved<Fitted>): LookedUp {
  exchange.reply.header('headgate-cache', 'bypass');
  return Object.assign(exchange, { cache: 'bypass' as const });
}
