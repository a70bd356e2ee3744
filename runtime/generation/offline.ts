/** A generation that serves nobody: built as live, from a snapshot that nobody has published, with no secret and no connection. */
import { createHash } from 'node:crypto';
import type { Manifest } from '../artifact.ts';
import { artifactFormat } from '../artifact.ts';
import { Pace } from '../pace.ts';
import { openParcel, packSnapshot } from '../packed.ts';
import type { Snapshot } from '../snapshot.ts';
import { snapshotFormat } from '../snapshot-format.ts';
import { Pools } from '../upstream/pools.ts';
import { Generation } from './generation.ts';
import { furnish } from './provision.ts';

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** Each consumer gets one more key, so that it can be asked for by name and is still found as live: by its key. */
function withKeys(snapshot: Snapshot, keyOf: (consumer: string) => string): Snapshot {
  const consumers = Object.entries(snapshot.consumers).map(([name, consumer]) => [
    name,
    { ...consumer, keys: [...consumer.keys, sha256(keyOf(name))] },
  ]);
  return { ...snapshot, consumers: Object.fromEntries(consumers) as Snapshot['consumers'] };
}

function manifestOf({ name }: Snapshot): Manifest {
  const requires = { snapshot: snapshotFormat };
  return { format: artifactFormat, audience: name, seq: 0, compiler: 'headgate/0.0.0', requires, files: [] };
}

/** `keyOf` gives a key that each consumer may use besides its own. Rejects with `ArtifactRefused`. */
export async function offlineGeneration(snapshot: Snapshot, keyOf: (consumer: string) => string): Promise<Generation> {
  const packed = openParcel(packSnapshot(withKeys(snapshot, keyOf)));
  // The secret stands in headers that are never sent, and pools open nothing before they are asked.
  const outside = { pools: new Pools(), readSecret: () => 'offline'.repeat(8) };
  const { tables, dispose } = await furnish(packed, outside, new Pace());
  const manifest = manifestOf(snapshot);
  const revision = { id: 'offline', short: 'offline', artifact: 'offline', digest: '', manifest, signer: undefined };
  return new Generation({ number: 0, revision, tables, dispose });
}
