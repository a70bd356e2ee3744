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
import { modelOf, works, type Asking, type Work } from './works.ts';

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
  readonly workers?: number;
}

export function snapshotFor(upstreamPort: number, hasQuotas: boolean): SnapshotInput {
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
    consumers: { bench: { keys: [keyHash(key)] } },
  });
}

export const vendorEnvironment = { VENDOR_KEY: 'sk-vendor' };

export const askingOf = (work: Work): Asking => ({ model: publicName(work.vendor, modelOf(work)), key });

interface Serving {
  /** Of the ledger and of what proved itself. */
  readonly folder: string;
  readonly port: number;
  readonly admin: number;
  readonly repository: string;
  readonly store?: string;
  readonly ledger?: string;
  readonly logLevel?: string;
  readonly workers?: number;
  readonly poll?: string;
  readonly bake?: string;
}

/** Flags of `serve`; what is not said is on. */
export function serveWords(serving: Serving): readonly string[] {
  const {
    folder,
    port,
    admin,
    repository,
    store = 'memory',
    ledger = join(folder, 'ledger'),
    workers = 1,
    ...rest
  } = serving;
  const flags = {
    repo: repository,
    listen: `127.0.0.1:${port}`,
    admin: `127.0.0.1:${admin}`,
    'state-dir': join(folder, 'state'),
    store,
    ledger,
    'log-level': rest.logLevel,
    workers: String(workers),
    poll: rest.poll,
    bake: rest.bake,
  };
  return Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
}

/** `program` is the built command. */
export function headgateRow(program: string, version: string, stages: Stages): Row {
  const { quota = 'memory', ledger = 'on', accessLog = 'on', workers = 1 } = stages;
  return {
    name: stages.name,
    title: stages.title,
    ...(stages.name !== 'headgate' && { works: workers > 1 ? ['workers'] : ['unary-64', 'burst'] }),
    isEverywhere: workers > 1,
    async prepare() {
      if (quota === 'redis' && onPath('redis-server') === undefined)
        throw new Absent('redis-server is not installed: apt-get install redis-server');
      return version;
    },
    async launch({ port, upstreamPort, folder }) {
      const repository = join(folder, 'repository.git');
      await initRepository(repository, { bare: true });
      await artifactBranch(repository).publish(snapshotFor(upstreamPort, quota !== 'off'));
      mkdirSync(join(folder, 'counts'));
      const redis = quota === 'redis' ? await startRedis() : undefined;
      const store = { off: 'memory', memory: 'memory', sqlite: join(folder, 'counts'), redis: redis?.url ?? '' }[quota];
      const words = serveWords({
        folder,
        port,
        admin: await freePort(),
        repository,
        store,
        ...(ledger === 'off' && { ledger }),
        ...(accessLog === 'off' && { logLevel: 'warn' }),
        workers,
      });
      return {
        program: process.execPath,
        words: [program, 'serve', ...words],
        env: vendorEnvironment,
        log: 'access.log',
        ...(redis && { close: () => redis.stop() }),
      };
    },
    ask: askingOf,
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
  { name: 'headgate-two-workers', title: 'Headgate, two workers', workers: 2 },
];
