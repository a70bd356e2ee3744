/** What a gateway has to show at the end of its life, written down for the scan of the run. */
import { directoriesOf, record, recordDirectory, recordings, type Recording } from './recording.ts';

const pages = ['/metrics', '/status', '/console', '/api/requests', '/api/usage'];
let recording: Recording | undefined;

/** Its admin pages are asked for, which `record-run.ts` hears. Does nothing where nobody scans. */
export async function recordLastPages(adminUrl: string, flags: readonly string[]): Promise<void> {
  if (recordings === undefined) return;
  await Promise.all(pages.map((page) => askFor(`${adminUrl}${page}`)));
  const directories = directoriesOf(flags);
  if (directories.length === 0) return;
  const file = process.argv[1] ?? '';
  recording ??= record(recordings, () => ({ file, test: 'any', what: 'files of gateways in the process of the test' }));
  for (const directory of directories) recordDirectory(directory, recording);
}

async function askFor(url: string): Promise<void> {
  try {
    await (await fetch(url, { signal: AbortSignal.timeout(1_000) })).text();
  } catch {
    // Closed already, or standing still on purpose.
  }
}
