/** The configuration of one publication: everything it answers says which one it is, and it may be wrong on purpose. */
import type { SnapshotInput } from '../runtime/snapshot.ts';
import { snapshotOf } from '../test/support/gateway.ts';
import type { Upstreams } from './upstreams.ts';

/** What a revision of this kind does wrong once it serves: a health rule must find it. */
export const harms = {
  'wrong base URL': 'vendor',
  'refused credential': 'vendor',
  'dead address': 'vendor',
  'dead upstream': 'orders',
} as const;
export type Harm = keyof typeof harms;

/** What a revision of this kind lacks: it is refused before it serves. */
export type Lack = 'shrunk' | 'secret missing';

/** Long enough for a stream to be under way when a swap comes. */
export const textOf = (n: number): string => Array.from({ length: 12 }, () => `version ${n}`).join(' ');

/** On which nobody listens, whatever else runs on this machine. */
const deadUrl = 'http://127.0.0.1:1';

function vendorUrl(upstreams: Upstreams, harm: Harm | undefined): string {
  switch (harm) {
    case 'wrong base URL':
      return `${upstreams.unfriendlyUrl}/gone`;
    case 'refused credential':
      return `${upstreams.unfriendlyUrl}/locked`;
    case 'dead address':
      return deadUrl;
    default:
      return `${upstreams.vendorUrl}/v1`;
  }
}

const contextWindow = 8_192;

function providersOf(n: number, baseUrl: string, isLocked: boolean): SnapshotInput['providers'] {
  const small = { contextWindow, options: { reply: textOf(n), chunkInterval: '10ms' } };
  const absent = { baseUrl, apiKey: { $secret: 'SOAK_SECRET_THAT_NOBODY_HAS' } };
  return {
    sandbox: { kind: 'sandbox', options: {}, models: { small } },
    vendor: {
      kind: 'openai',
      options: { baseUrl, apiKey: { $secret: 'SOAK_VENDOR_KEY' } },
      models: { m: { contextWindow } },
    },
    ...(isLocked ? { locked: { kind: 'openai', options: absent, models: { m: { contextWindow } } } } : {}),
  };
}

export interface RevisionPlan {
  readonly upstreams: Upstreams;
  readonly harm?: Harm | undefined;
  readonly lack?: Lack | undefined;
}

/** Publication `n`. The vendor learns its number from the prompt, the REST upstream from a header. */
export function revisionOf(n: number, { upstreams, harm, lack }: RevisionPlan): SnapshotInput {
  const node = (provider: string, model: string) => ({ kind: 'target' as const, provider, model });
  const [small, vendor] = [node('sandbox', 'small'), node('vendor', 'm')];
  const prompt = { name: 'identity', variables: {} };
  const spares = Object.fromEntries(
    [1, 2, 3, 4, 5, 6].map((spare) => [`spare-${spare}`, { targets: small, quotas: ['plenty'] }]),
  );
  const plenty = { unit: 'requests' as const, limit: 1_000_000_000, window: '1h' as const };
  return snapshotOf({
    name: 'soak',
    providers: providersOf(n, vendorUrl(upstreams, harm), lack === 'secret missing'),
    prompts: { identity: { system: textOf(n) } },
    models: {
      which: { targets: small, quotas: ['plenty'] },
      assured: {
        targets: { kind: 'group', balance: 'ordered', of: [{ node: vendor }, { node: small }] },
        prompt,
        quotas: ['plenty'],
      },
      exposed: { targets: vendor, prompt, quotas: ['plenty'] },
      strict: { targets: small, quotas: ['strict'] },
      ...(lack === 'shrunk' ? {} : spares),
    },
    quotas: { plenty: { ...plenty, onStoreDown: 'open' }, strict: { ...plenty, onStoreDown: 'closed' } },
    upstreams: {
      orders: {
        url: harm === 'dead upstream' ? deadUrl : upstreams.ordersUrl,
        headers: { 'x-version': textOf(n) },
        timeout: '5s',
      },
    },
    routes: { orders: { path: '/orders/*', upstream: 'orders', quotas: ['plenty'] } },
    sources: { 'providers.vendor': 'gateway.config.ts:7:16', 'upstreams.orders': 'gateway.config.ts:9:16' },
  });
}
