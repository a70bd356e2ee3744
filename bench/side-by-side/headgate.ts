/** Headgate as a user runs it: the built packages, following a published artifact, everything on; and with single stages off. */
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { artifactBranch } from '../../test/support/artifact-branch.ts';
import { keyHash, snapshotOf } from '../../test/support/gateway.ts';
import { freePort, startRedis } from '../../test/support/redis.ts';
import { initRepository } from '../../test/support/repository.ts';
import { onPath } from '../../test/support/tools.ts';
import { dialectNames } from './dialects.ts';
import { Absent, type Row } from './row.ts';
import { modelOf, works, type Work } from './works.ts';

const key = 'hg_key_of_the_benchmark_0123456789';
const vendorKinds = { openai: 'openai', anthropic: 'anthropic', gemini: 'google' } as const;
const vendorModels = [...new Set(works.map(modelOf))];

/** Named by us, not as the vendor names it: each body is rewritten. */
const publicName = (vendor: string, model: string): string => `${vendor}-${model}`;

export interface Stages {
  readonly name: string;
  readonly title: string;
  readonly quota?: 'off' | 'memory' | 'redis' | 'sqlite';
  readonly ledger?: 'off' | 'on';
  readonly accessLog?: 'off' | 'on';
}

function snapshot(upstreamPort: number, hasQuotas: boolean): SnapshotInput {
  const origin = `http://127.0.0.1:${upstreamPort}`;
  const quotas = hasQuotas ? ['requests', 'tokens'] : [];
  const facts = { contextWindow: 10_000_000, maxOutputTokens: 100_000 };
  return snapshotOf({
    name: 'bench',
    providers: Object.fromEntries(
      dialectNames.map((vendor) => [
        vendor,
        {
          kind: vendorKinds[vendor],
          options: {
            baseUrl: vendor === 'openai' ? `${origin}/v1` : origin,
            apiKey: { $secret: 'VENDOR_KEY' },
          },
          models: Object.fromEntries(vendorModels.map((model) => [model, facts])),
        },
      ]),
    ),
    models: Object.fromEntries(
      dialectNames.flatMap((vendor) =>
        vendorModels.map((model) => [
          publicName(vendor, model),
          { targets: { kind: 'target' as const, provider: vendor, model }, quotas },
        ]),
      ),
    ),
    upstreams: { shop: { url: origin } },
    routes: { items: { path: '/items/*', methods: ['GET'], upstream: 'shop', quotas: quotas.slice(0, 1) } },
    quotas: {
      requests: { unit: 'requests', limit: 1_000_000_000, window: '1m' },
      tokens: { unit: 'tokens', limit: 1_000_000_000_000, window: '1m' },
    },
    consumers: { bench: { keys: [keyHash(key) as 'sha256:'] } },
  });
}

/** `program` is the built command. */
export function headgateRow(program: string, version: string, stages: Stages): Row {
  const { quota = 'memory', ledger = 'on', accessLog = 'on' } = stages;
  return {
    name: stages.name,
    title: stages.title,
    async prepare() {
      if (quota === 'redis' && onPath('redis-server') === undefined)
        throw new Absent('redis-server is not installed: apt-get install redis-server');
      return version;
    },
    async launch({ port, upstreamPort, folder }) {
      const repository = join(folder, 'repository.git');
      await initRepository(repository, { bare: true });
      await artifactBranch(repository).publish(snapshot(upstreamPort, quota !== 'off'));
      mkdirSync(join(folder, 'counts'));
      const redis = quota === 'redis' ? await startRedis() : undefined;
      const store = { off: 'memory', memory: 'memory', sqlite: join(folder, 'counts'), redis: redis?.url ?? '' }[quota];
      const flags = {
        repo: repository,
        listen: `127.0.0.1:${port}`,
        admin: `127.0.0.1:${await freePort()}`,
        'state-dir': join(folder, 'state'),
        store,
        ledger: ledger === 'on' ? join(folder, 'ledger') : 'off',
        'log-level': accessLog === 'on' ? 'info' : 'warn',
      };
      const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
      return {
        program: process.execPath,
        words: [program, 'serve', ...words],
        env: { VENDOR_KEY: 'sk-vendor' },
        log: 'access.log',
        ...(redis && { close: () => redis.stop() }),
      };
    },
    ask: (work: Work) => ({ model: publicName(work.vendor, modelOf(work)), key }),
  };
}

export const headgateStages: readonly Stages[] = [
  { name: 'headgate', title: 'Headgate, everything on' },
  { name: 'headgate-no-quota', title: 'Headgate without quotas', quota: 'off' },
  { name: 'headgate-no-ledger', title: 'Headgate without ledger', ledger: 'off' },
  { name: 'headgate-no-log', title: 'Headgate without access log', accessLog: 'off' },
  {
    name: 'headgate-least',
    title: 'Headgate without any of the three',
    quota: 'off',
    ledger: 'off',
    accessLog: 'off',
  },
  { name: 'headgate-redis', title: 'Headgate, quotas in Redis', quota: 'redis' },
  { name: 'headgate-sqlite', title: 'Headgate, quotas in a file', quota: 'sqlite' },
];
