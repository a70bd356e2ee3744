/** Writes a built artifact to a directory; a reader sees each file whole or not at all, and never a new manifest with an old body. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signatureFile } from '@headgate/runtime/artifact';
import { EnvironmentFault } from './findings.ts';

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, bytes, { flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export async function writeArtifact(directory: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    // One that is left from before would speak of another manifest.
    if (!files.has(signatureFile)) await rm(join(directory, signatureFile), { force: true });
    // The manifest last: it vouches for the others.
    const names = [...files.keys()].sort((a, b) => Number(a === 'manifest.json') - Number(b === 'manifest.json'));
    for (const name of names) await replace(join(directory, name), files.get(name) ?? new Uint8Array());
  } catch (cause) {
    throw new EnvironmentFault(`${directory} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
