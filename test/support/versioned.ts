/** Snapshots that say which one they are, so that a test sees from the answer which generation gave it. */
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { snapshotOf } from './gateway.ts';

export interface VersionParts {
  /** Where model `vendor` goes; kind `openai`, without a key. */
  readonly vendorUrl?: string;
  readonly chunkInterval?: `${number}ms`;
  readonly parts?: Partial<SnapshotInput>;
}

/** Model `which` answers `version <n>`; model `vendor` asks `vendorUrl`. */
export function versioned(
  n: number,
  { vendorUrl, chunkInterval = '0ms', parts = {} }: VersionParts = {},
): SnapshotInput {
  const small = { contextWindow: 8_192, options: { reply: `version ${n}`, chunkInterval } };
  const vendor = { kind: 'openai', options: { baseUrl: vendorUrl }, models: { m: { contextWindow: 8_192 } } };
  const target = (provider: string, model: string) => ({ kind: 'target' as const, provider, model });
  return snapshotOf({
    ...parts,
    providers: {
      sandbox: { kind: 'sandbox', options: {}, models: { small } },
      ...(vendorUrl === undefined ? {} : { vendor }),
      ...parts.providers,
    },
    models: {
      which: { targets: target('sandbox', 'small') },
      ...(vendorUrl === undefined ? {} : { vendor: { targets: target('vendor', 'm') } }),
      ...parts.models,
    },
    sources: { 'providers.vendor': 'gateway.config.ts:7:16', ...parts.sources },
  });
}

export const question = (model = 'which', more: object = {}) => ({
  model,
  messages: [{ role: 'user', content: 'which?' }],
  ...more,
});
