/** Starts a real gateway in this process from a snapshot, as `serve --seed` would, on ports of its own. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artifactFormat } from '../../runtime/artifact.ts';
import { canonicalJson } from '../../runtime/canonical-json.ts';
import { serve, type Gateway, type StatusReport } from '../../runtime/serve.ts';
import { readSettings } from '../../runtime/settings.ts';
import { snapshotFormat, type SnapshotInput } from '../../runtime/snapshot.ts';
import { plantFlags, recordings } from './recording.ts';
import { recordLastPages } from './last-pages.ts';

/** The key of consumer `tester` in snapshots made here. */
export const testKey = 'hg_test_key_of_the_suite';
export const keyHash = (key: string): string => `sha256:${createHash('sha256').update(key).digest('hex')}`;

/** A complete snapshot out of the parts a test is about; `tester` may use everything. */
export function snapshotOf(parts: Partial<SnapshotInput>): SnapshotInput {
  return {
    format: snapshotFormat,
    name: 'test',
    providers: {},
    models: {},
    prompts: {},
    contextPolicies: {},
    policies: {},
    quotas: {},
    upstreams: {},
    routes: {},
    sources: {},
    ...parts,
    consumers: { tester: { keys: [keyHash(testKey)] }, ...parts.consumers },
  };
}

/** The files of an artifact around `snapshot`, as `build` or (with a sequence number) `publish` would write them. */
export function artifactFiles(
  snapshot: SnapshotInput,
  source?: { seq: number; commit: string },
  bytes: Buffer = Buffer.from(canonicalJson(snapshot)),
): Map<string, Buffer> {
  const manifest = {
    format: artifactFormat,
    audience: snapshot.name,
    seq: source?.seq ?? 0,
    ...(source ? { source: { commit: source.commit, author: 'Ada', subject: 'A change' } } : {}),
    compiler: 'headgate/0.1.0',
    requires: { snapshot: snapshotFormat },
    files: [
      { path: 'snapshot.json', sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.byteLength },
    ],
  };
  return new Map([
    ['manifest.json', Buffer.from(canonicalJson(manifest))],
    ['snapshot.json', bytes],
  ]);
}

export interface TestGateway extends Gateway {
  /** Asks the data plane with the test key. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** `POST`s JSON with the test key. */
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
  /** What the admin plane says at a path, parsed. */
  status(): Promise<StatusReport>;
  metrics(): Promise<string>;
}

/** Serves `snapshot` until `close`. `flags` are those of `serve`. */
export async function startGateway(snapshot: SnapshotInput, flags: readonly string[] = []): Promise<TestGateway> {
  const seed = await mkdtemp(join(tmpdir(), 'headgate-seed-'));
  for (const [name, bytes] of artifactFiles(snapshot)) await writeFile(join(seed, name), bytes);
  try {
    return await startWith(['--seed', seed, ...flags]);
  } finally {
    await rm(seed, { recursive: true });
  }
}

/** Serves whatever `flags` say, quietly and on free ports. */
export async function startWith(flags: readonly string[]): Promise<TestGateway> {
  // Where a run is recorded the log goes to a file of it, and must say everything there.
  const level = recordings === undefined ? 'silent' : 'trace';
  plantFlags(flags, process.argv[1] ?? '');
  const own = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-level', level, '--workers', '1'];
  const gateway = await serve(readSettings([...own, ...flags], [], {}));
  const close = gateway.close.bind(gateway);
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${gateway.dataUrl}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${testKey}`, ...(init.headers as Record<string, string> | undefined) },
    });
  return Object.assign(gateway, {
    async close() {
      await recordLastPages(gateway.adminUrl, flags);
      await close();
    },
    ask,
    post: (path: string, body: unknown, init: RequestInit = {}) =>
      ask(path, {
        method: 'POST',
        body: JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...(init.headers as Record<string, string> | undefined) },
      }),
    status: async () => (await (await fetch(`${gateway.adminUrl}/status`)).json()) as StatusReport,
    metrics: async () => (await fetch(`${gateway.adminUrl}/metrics`)).text(),
  });
}
