/** Builds a generation from a verified snapshot, without touching anything outside it. All problems are reported at once. */
import { ArtifactRefused, issuesInWords, parseJsonBytes, type Artifact } from '../artifact.ts';
import { canonicalJson } from '../canonical-json.ts';
import { snapshotSchema, type Snapshot } from '../snapshot.ts';
import type { Pools } from '../upstream/pools.ts';
import { Builder } from './builder.ts';
import type { LiveConsumer, LiveQuota, Revision, Tables } from './generation.ts';
import { routeMatcher } from './routes.ts';

function consumersByKey(
  snapshot: Snapshot,
  quotas: ReadonlyMap<string, LiveQuota>,
  build: Builder,
): Map<string, LiveConsumer> {
  const byKey = new Map<string, LiveConsumer>();
  for (const [name, { keys, models, routes, quotas: names }] of Object.entries(snapshot.consumers)) {
    const object = `consumers.${name}`;
    const consumer: LiveConsumer = {
      name,
      models: models && new Set(models),
      routes: routes && new Set(routes),
      quotas: build.findAll(quotas, names, object),
    };
    for (const key of keys) {
      const digest = key.slice('sha256:'.length);
      const other = byKey.get(digest);
      if (other && other.name !== name) build.problem(object, `shares a key with consumer '${other.name}'`);
      byKey.set(digest, consumer);
    }
  }
  return byKey;
}

function tablesOf(snapshot: Snapshot, build: Builder): Tables {
  const providers = new Map(
    Object.entries(snapshot.providers).map(([name, provider]) => [name, build.provider(name, provider)]),
  );
  const quotas = new Map(
    Object.entries(snapshot.quotas).map(([name, { window, limit, scope, onStoreDown }]) => [
      name,
      { name, limit, windowMs: window, scope, onStoreDown },
    ]),
  );
  const routes = Object.entries(snapshot.routes).flatMap(([name, route]) => {
    const live = build.route(name, route, quotas);
    return live ? [{ path: route.path, route: live }] : [];
  });
  return {
    models: new Map(Object.keys(snapshot.models).map((name) => [name, build.model(name, { providers, quotas })])),
    consumersByKey: consumersByKey(snapshot, quotas, build),
    providers,
    targetLabels: build.targetLabels,
    upstreamIdentities: new Map(
      Object.entries(snapshot.upstreams).map(([name, upstream]) => [name, canonicalJson(upstream)]),
    ),
    matchRoute: routeMatcher(routes),
    sources: snapshot.sources,
  };
}

export function revisionOf({ manifest, commit, digest, signer }: Artifact): Revision {
  const id = manifest.source?.commit ?? commit;
  return { id, short: id.replace(/^sha256:/, '').slice(0, 12), artifact: commit, digest, manifest, signer };
}

export interface Provisioned {
  readonly revision: Revision;
  readonly snapshot: Snapshot;
  readonly tables: Tables;
  readonly dispose: () => void;
}

/** Throws `ArtifactRefused` with every problem named. */
export function provision(artifact: Artifact, pools: Pools): Provisioned {
  const parsed = snapshotSchema.safeParse(parseJsonBytes(artifact.snapshot, 'snapshot.json'));
  if (!parsed.success) throw new ArtifactRefused('schema', `snapshot.json: ${issuesInWords(parsed.error)}`);
  const build = new Builder(parsed.data, pools);
  const dispose = () => build.origins.splice(0).forEach((origin) => pools.release(origin));
  try {
    const tables = tablesOf(parsed.data, build);
    if (build.problems.length > 0) throw new ArtifactRefused('invalid', build.problems.join('; '));
    return { revision: revisionOf(artifact), snapshot: parsed.data, tables, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
