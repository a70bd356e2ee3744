/** Files that a platform keeps a workload's credential in: read anew each time, as they are written anew before it ends. */
import { readFile } from 'node:fs/promises';
import { CredentialUnavailable } from './provider.ts';

/** `place` says whose file it is; its path is nobody's business but the machine's. */
export async function credentialFile(path: string, place: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    throw new CredentialUnavailable(`${place} cannot be read (${code})`);
  }
}
