/** Wires the process-lifetime parts together and starts them; the one place that knows them all. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { startAdmin } from './admin/admin.ts';
import type { statusOf } from './admin/status.ts';
import type { Manifest, OpenOptions } from './artifact.ts';
import { visitEdge, type Edge } from './edge.ts';
import { HeadgateError } from './errors.ts';
import { Activator } from './generation/activator.ts';
import type { Verified } from './generation/provision.ts';
import { listen } from './listener.ts';
import { causeInWords, createLog, type Log } from './log.ts';
import { openQuotaStore } from './quota/open.ts';
import type { Settings } from './settings.ts';
import { openGitSource } from './sync/git-source.ts';
import { forgiving, memoryKeep, openKeep, readArtifact, type Keep, type Verify } from './sync/keep.ts';
import { Loop } from './sync/loop.ts';
import type { RevisionSource } from './sync/source.ts';
import { createVerifier } from './sync/verifier.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createForwarder } from './upstream/forward.ts';
import { Pools } from './upstream/pools.ts';

/** The document at `/status`. */
export type StatusReport = ReturnType<typeof statusOf>;

export interface Gateway {
  readonly dataUrl: string;
  readonly adminUrl: string;
  /** The revision served now, short; undefined while there is none. */
  readonly revision: string | undefined;
  /** Why the newest revision is not served, when it is not. */
  readonly held: string | undefined;
  /** The commit behind it, where the artifact names one. */
  readonly source: Manifest['source'];
  /** Names of the models it serves. */
  readonly models: readonly string[];
  poke(): Promise<void>;
  /** Not ready at once, requests in flight may end within the drain time. */
  drain(): Promise<void>;
  /** Ends now. */
  close(): Promise<void>;
}

async function readSeed(directory: string | undefined, verify: Verify): Promise<Verified | undefined> {
  if (directory === undefined) return undefined;
  const { artifact, snapshot } = await verify(await readArtifact(directory, ''));
  return { artifact: { ...artifact, commit: artifact.digest }, snapshot };
}

async function keepFor(directory: string | undefined, log: Log): Promise<Keep> {
  if (directory === undefined) return memoryKeep();
  try {
    return forgiving(await openKeep(directory), log);
  } catch (error) {
    log.warn(
      { event: 'state_dir_unusable', cause: causeInWords(error) },
      'the state directory is unusable: the last good revision is kept in memory only',
    );
    return memoryKeep();
  }
}

function sourceFor({ repo, ref, gitTokenFile }: Settings): RevisionSource | undefined {
  return repo === undefined
    ? undefined
    : openGitSource({ url: repo, ref, ...(gitTokenFile ? { tokenFile: gitTokenFile } : {}) });
}

export interface Extras {
  /** In place of the git source that the settings name. */
  readonly source?: RevisionSource;
  /** Called after each change of what serves or of why something does not. */
  readonly onChange?: () => void;
}

/** What was started, to be ended in the reverse order. */
class Closers {
  readonly #closers: (() => Promise<void>)[] = [];

  add<Part extends { close(): Promise<void> }>(part: Part): Part {
    this.#closers.unshift(() => part.close());
    return part;
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}

/** Starts a gateway. Rejects when it cannot listen, or has only a seed and cannot serve it; nothing is left open then. */
export async function serve(settings: Settings, extras: Extras = {}): Promise<Gateway> {
  const closers = new Closers();
  try {
    return await start(settings, extras, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function start(settings: Settings, extras: Extras, closers: Closers): Promise<Gateway> {
  const { pollMs, bakeMs, bakeSamples } = settings;
  const verifier = closers.add(createVerifier());
  const openOptions: OpenOptions = {};
  const verify: Verify = (raw, signal) => verifier.verify(raw, openOptions, signal);
  const seed = await readSeed(settings.seed, verify);
  const log = createLog(settings.logLevel);
  const metrics = createMetrics();
  const pools = closers.add(new Pools());
  const quotas = closers.add(openQuotaStore(settings.store));
  const forwarder = closers.add(await createForwarder(pools));
  const activator = new Activator(pools, metrics);
  const keep = await keepFor(settings.stateDir, log);
  const source = extras.source ?? sourceFor(settings);
  const trial = { bakeMs, bakeSamples };
  const loop = new Loop({ source, verify, activator, keep, log, metrics, pollMs, ...trial, onChange: extras.onChange });
  closers.add({ close: () => loop.stop() });
  let draining = false;

  const cold = () =>
    new HeadgateError('not_ready', 'No verified configuration is active yet.', { retryAfterMs: 1_000 });
  const edge: Edge = {
    house: { log, metrics, quotas, random: Math.random },
    forwarder,
    serving: () => activator.current ?? cold(),
  };
  const reported = {
    activator,
    loop,
    keep,
    replicaId: randomUUID(),
    startedAt: new Date().toISOString(),
    draining: () => draining,
  };
  const { admin: address, adminTokenFile: tokenFile } = settings;
  const admin = closers.add(await startAdmin({ address, tokenFile, reported, metrics }));
  const handle = (request: IncomingMessage, response: ServerResponse) => void visitEdge(edge, request, response);
  const listener = closers.add(await listen(settings.listen, handle));
  log.info({ event: 'listening', dataUrl: listener.url, adminUrl: admin.url }, 'listening');
  await loop.start(seed);

  return {
    dataUrl: listener.url,
    adminUrl: admin.url,
    get revision() {
      return activator.current?.revision.short;
    },
    get held() {
      return loop.state.held?.detail;
    },
    get source() {
      return activator.current?.revision.manifest.source;
    },
    get models() {
      return [...(activator.current?.tables.models.keys() ?? [])];
    },
    poke: () => loop.poke(),
    async drain() {
      draining = true;
      await listener.drain(settings.drainMs);
      await closers.closeAll();
    },
    close: () => closers.closeAll(),
  };
}

/** Ties a gateway to the process's signals. Resolves when it has ended. */
export function untilSignalled(gateway: Gateway): Promise<void> {
  return new Promise((resolve) => {
    let ending = false;
    const end = () => {
      if (ending) process.exit(130);
      ending = true;
      void gateway.drain().finally(resolve);
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    process.on('SIGHUP', () => void gateway.poke());
  });
}
