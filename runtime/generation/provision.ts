/**
 * Builds a generation from a verified snapshot, without touching anything outside it, in small helpings between which
 * requests are answered. Every object is built once to see that it can be, and thrown away: what a request asks for is built
 * again then, so that a swap leaves the garbage collector little to carry. All problems are reported at once.
 */
import { ArtifactRefused } from '../artifact-refused.ts';
import type { Artifact } from '../artifact.ts';
import type { Pace } from '../pace.ts';
import type { PackedSnapshot } from '../packed.ts';
import type { Pools } from '../upstream/pools.ts';
import { Builder } from './builder.ts';
import { callersOf } from './callers.ts';
import { comparable } from './changes.ts';
import type { Revision, Tables } from './generation.ts';
import type { LiveModel, LiveRoute } from './live.ts';
import { OnDemand, positionsOf } from './on-demand.ts';
import { RouteTable } from './routes.ts';
import { readSecret } from '../secrets.ts';
import { SharedParts, type Outside } from './shared-parts.ts';

/** An artifact that was opened, and its snapshot that the schema has passed. */
export interface Verified {
  readonly artifact: Artifact;
  readonly snapshot: PackedSnapshot;
}

export interface Site {
  readonly snapshot: PackedSnapshot;
  readonly parts: SharedParts;
  readonly build: Builder;
  readonly pace: Pace;
}

async function routeMatcher({ snapshot: { routes }, build, pace }: Site): Promise<Tables['matchRoute']> {
  const loaded = new Map<number, LiveRoute>();
  const load = (position: number): LiveRoute => {
    const route = loaded.get(position) ?? build.route(...routes.at(position));
    if (!route) throw new TypeError(`route ${position} was built before and cannot be now`);
    loaded.set(position, route);
    return route;
  };
  const table = new RouteTable(load);
  let position = 0;
  await pace.each(routes, ([name, route]) => {
    build.route(name, route);
    table.add(route.path, route.host, position);
    position += 1;
  });
  return (method, host, path) => table.match(method, host, path);
}

async function tablesOf(site: Site): Promise<Tables> {
  const { snapshot, parts, build, pace } = site;
  const { models } = snapshot;
  await parts.prepare(snapshot, pace);
  const promptOf = new Map<string, string>();
  await pace.each(models, ([name, model]) => {
    build.model(name, model);
    if (model.prompt) promptOf.set(name, model.prompt.name);
  });
  const positions = await positionsOf(models, pace);
  await pace.each(snapshot.quotas, ([name, { downgrade }]) => {
    if (downgrade) parts.find(positions, downgrade.to, `quotas.${name}`);
  });
  return {
    models: new OnDemand(positions, (position) => build.model(...models.at(position))),
    promptOf: (model) => promptOf.get(model),
    ...(await callersOf(site)),
    providers: parts.providers,
    compared: comparable(snapshot, { targetLabels: build.targetLabels, originOf: (name) => parts.originOf(name) }),
    matchRoute: await routeMatcher(site),
    namesOf: (sort) => snapshot[sort].names(),
    sourceOf: parts.sourceOf,
  };
}

export function revisionOf({ manifest, commit, digest, signer }: Artifact): Revision {
  const id = manifest.source?.commit ?? commit;
  return { id, short: id.replace(/^sha256:/, '').slice(0, 12), artifact: commit, digest, manifest, signer };
}

const mostProblemsTold = 50;

function inWords(problems: readonly string[]): string {
  const more = problems.length - mostProblemsTold;
  return problems.slice(0, mostProblemsTold).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

export interface Furnished {
  readonly snapshot: PackedSnapshot;
  readonly tables: Tables;
  /** Every model, built for a look and not kept. */
  readonly freshModels: () => Iterable<LiveModel>;
  readonly dispose: () => void;
}

export interface Provisioned extends Furnished {
  readonly revision: Revision;
}

/** Everything that serves a snapshot, whoever vouches for it. Rejects as `provision` does. */
export async function furnish(snapshot: PackedSnapshot, outside: Outside, pace: Pace): Promise<Furnished> {
  const parts = new SharedParts(snapshot, outside);
  const build = new Builder(parts);
  const dispose = () => parts.dispose();
  function* freshModels(): Generator<LiveModel> {
    for (const [name, model] of snapshot.models) yield build.model(name, model);
  }
  try {
    const tables = await tablesOf({ snapshot, parts, build, pace });
    if (parts.problems.length > 0) throw new ArtifactRefused('invalid', inWords(parts.problems));
    return { snapshot, tables, freshModels, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Rejects with `ArtifactRefused`, every problem named, or with the reason why `pace` was called off; nothing is held then. */
export async function provision({ artifact, snapshot }: Verified, pools: Pools, pace: Pace): Promise<Provisioned> {
  const furnished = await furnish(snapshot, { pools, readSecret: (reference) => readSecret(reference) }, pace);
  return { ...furnished, revision: revisionOf(artifact) };
}
