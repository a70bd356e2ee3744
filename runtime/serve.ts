/** Wires the process-lifetime parts together and starts them; the one place that knows them all. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { startAdmin } from './admin/admin.ts';
import { unsignedNote, type statusOf } from './admin/status.ts';
import type { Manifest } from './artifact.ts';
import { Closers } from './closers.ts';
import { createFront } from './front.ts';
import { Activator } from './generation/activator.ts';
import type { Verified } from './generation/provision.ts';
import { openLedger } from './ledger/open.ts';
import { dieInWords } from './crash.ts';
import { createLog } from './log.ts';
import { openQuotaStore } from './quota/open.ts';
import { SettingsError, type Settings } from './settings.ts';
import { Bar } from './sync/bar.ts';
import { openGitSource } from './sync/git-source.ts';
import { memoryKeep, type Keep } from './sync/keep.ts';
import { openKeep } from './sync/keep/disk.ts';
import { Loop } from './sync/loop.ts';
import type { RawArtifact, RevisionSource } from './sync/source.ts';
import { noSharedVerdicts, redisVerdicts } from './sync/verdicts.ts';
import { createVerifier, type Verify } from './sync/verifier.ts';
import { Herald } from './sync/word/herald.ts';
import { KeyReminder } from './telemetry/key-reminder.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { Pools } from './upstream/pools.ts';
import { Crew } from './workers/crew.ts';

/** The document at `/status`. */
export type StatusReport = ReturnType<typeof statusOf>;
/** The documents at `/api/usage`, `/api/usage/calls` and `/api/usage/compare`. */
export type { CallsReport, ComparisonReport, UsageReport } from './admin/usage.ts';

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
  /** Looks at the branch, and at the files for TLS. */
  poke(): Promise<void>;
  /** Not ready at once; after a moment takes no new request (`atOnce`: without that moment); those in flight may end within the drain time. */
  drain(options?: { atOnce?: boolean }): Promise<void>;
  /** Ends now. */
  close(): Promise<void>;
}

async function readSeed(
  directory: string | undefined,
  open: (raw: RawArtifact) => Promise<Verified>,
): Promise<Verified | undefined> {
  if (directory === undefined) return undefined;
  const names = await readdir(directory);
  const files = await Promise.all(
    names.map(async (name) => [name, new Uint8Array(await readFile(join(directory, name)))] as const),
  );
  const { artifact, snapshot } = await open({ commit: '', files: new Map(files) });
  return { artifact: { ...artifact, commit: artifact.digest }, snapshot };
}

/** A signers file that is wrong from the start is a setting that is wrong. */
function barFor({ signers, audience }: Settings, keep: Keep): Bar {
  try {
    return new Bar({ signersFile: signers, audience, keep });
  } catch (error) {
    throw new SettingsError([`--signers (or HEADGATE_SIGNERS) ${signers}: ${(error as Error).message}`]);
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
  /** Started before, so that it was ready sooner. */
  readonly verifyThread?: Worker;
  /** Called when requests can come, before git is asked for anything: the time to listen to signals. */
  readonly onListening?: (gateway: Gateway) => void;
  /** Called after each change of what serves or of why something does not. */
  readonly onChange?: () => void;
}

/** Starts a gateway. Rejects when it cannot listen, when another process has its state directory, or when it has only a seed and cannot serve it; nothing is left open then. */
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
  const log = createLog(settings.logLevel);
  // Before a port is bound: when another process has the directory, that is what there is to say.
  const keep = closers.add(settings.stateDir === undefined ? memoryKeep() : await openKeep(settings.stateDir, log));
  const bar = barFor(settings, keep);
  // At a desk the next revision is as near as the next save, and memory is there.
  const verifier = closers.add(createVerifier(extras.source ? { idleMs: deskIdleMs } : {}, extras.verifyThread));
  const verify: Verify = (raw, demands, signal) => verifier.verify(raw, demands, signal);
  const seed = await readSeed(settings.seed, (raw) => verify(raw, bar.forSeed()));
  const metrics = createMetrics();
  const pools = closers.add(new Pools(settings.upstreamClient));
  const ledger = closers.add(openLedger(settings, { log, metrics }));
  const quotas = closers.add(openQuotaStore(settings.store));
  const crew = settings.workers > 1 ? closers.add(new Crew({ settings, log, metrics, quotas })) : undefined;
  const activator = new Activator(pools, metrics, crew);
  const expiries = () => activator.stable?.tables.keyExpiries ?? [];
  closers.add(new KeyReminder({ expiries, log, now: Date.now }));
  const serving =
    crew?.under(activator) ??
    (await createFront({ settings, log, metrics, pools, quotas, ledger, activator }, closers));
  const replicaId = randomUUID();
  const herald = closers.add(new Herald({ settings, replica: replicaId, activator, keep, log, metrics }));
  const found = extras.source ?? sourceFor(settings);
  const source = found && herald.overhear(found);
  const trial = { bakeMs, bakeSamples };
  const { onChange } = extras;
  // Replicas that share their counts share their verdicts too.
  const isShared = /^rediss?:/.test(settings.store);
  const verdicts = closers.add(
    isShared
      ? redisVerdicts({ url: settings.store, log, replica: replicaId, known: () => keep.state.quarantine })
      : noSharedVerdicts,
  );
  const loop = new Loop({ source, verify, activator, keep, bar, verdicts, log, metrics, pollMs, ...trial, onChange });
  loop.history.spreadBy((before, after) => herald.heard(before, after));
  let stopping: Promise<void> | undefined;
  const stopLoop = () => (stopping ??= loop.stop());
  closers.add({ close: stopLoop });
  let draining = false;
  const reported = {
    activator,
    loop,
    keep,
    serving,
    ledger,
    signed: bar.signed,
    replicaId,
    herald,
    startedAt: new Date().toISOString(),
    draining: () => draining,
  };
  const { admin: address, adminTokenFile: tokenFile } = settings;
  const admin = closers.add(await startAdmin({ address, tokenFile, reported, metrics }));
  const listener = await serving.listen();
  if (!bar.signed && !extras.source) log.warn({ event: 'unsigned' }, unsignedNote);
  log.info({ event: 'listening', dataUrl: listener.url, adminUrl: admin.url }, 'listening');
  const gateway: Gateway = {
    dataUrl: listener.url,
    adminUrl: admin.url,
    get revision() {
      return activator.stable?.revision.short;
    },
    get held() {
      return loop.state.held?.detail;
    },
    get source() {
      return activator.stable?.revision.manifest.source;
    },
    get models() {
      return [...(activator.stable?.tables.models.keys() ?? [])];
    },
    async poke() {
      await Promise.all([listener.renewFromFiles(), loop.poke()]);
    },
    async drain({ atOnce = false } = {}) {
      draining = true;
      log.info({ event: 'draining' }, 'not ready any more; requests in flight may end');
      // First of all: whoever ends a drain with SIGKILL must not make a revision on trial look guilty.
      const stopped = stopLoop();
      listener.retire();
      // Balancers need a moment to see it: until then new requests still come, and are answered.
      if (!atOnce) await sleep(Math.min(longestGraceMs, settings.drainMs / 6));
      await Promise.all([stopped, listener.drain(settings.drainMs)]);
      await closers.closeAll();
      log.info({ event: 'stopped' }, 'stopped');
    },
    close: () => closers.closeAll(),
  };
  extras.onListening?.(gateway);
  await loop.start(seed);
  return gateway;
}

/** How long the thread that verifies stays, where revisions come from somebody's own machine. */
const deskIdleMs = 3_600_000;

/** How long a gateway that is no longer ready still takes requests. */
const longestGraceMs = 5_000;

/** Ties a gateway to the process, its signals and its death. Resolves when it has ended. */
export function untilSignalled(gateway: Gateway): Promise<void> {
  dieInWords();
  return new Promise((resolve) => {
    let ending = false;
    const end = (signal: NodeJS.Signals) => {
      if (ending) process.exit(130);
      ending = true;
      // A person at a terminal has no balancer to wait for.
      void gateway.drain({ atOnce: signal === 'SIGINT' }).finally(resolve);
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    process.on('SIGHUP', () => void gateway.poke());
  });
}
