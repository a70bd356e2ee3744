/** `serve` as a process: settings from flags and environment, until a signal ends it. Needs no authoring package. */
import type { Gateway } from './serve.ts';
import { readSettings, SettingsError, settingsHelp } from './settings.ts';
import { startVerifyThread } from './sync/verify-thread.ts';

const usage = `Serves the newest verified artifact of a git branch, and follows it.

usage: serve [settings]   (each may also stand in the environment, as HEADGATE_…)

${settingsHelp()}
`;

/** What went wrong at the start, in words for a terminal. */
export function startFailure(error: unknown): string {
  const { code, message, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') return `${address}:${port} is in use; choose another with --listen or --admin`;
  if (code === 'EACCES' && port !== undefined) return `${address}:${port} may not be used by this user`;
  return message;
}

/** Serves until told to stop. Returns the exit code. */
export async function run(flags: readonly string[]): Promise<number> {
  if (flags.includes('--help') || flags.includes('-h')) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    const settings = readSettings(flags);
    // What lies on disk is judged there before anything is served: it loads while this thread loads the gateway.
    const verifyThread = startVerifyThread();
    const { serve, untilSignalled } = await import('./serve.ts');
    let ended: Promise<void> | undefined;
    const onListening = (gateway: Gateway) => void (ended = untilSignalled(gateway));
    await serve(settings, { onListening, verifyThread });
    await ended;
    return 0;
  } catch (error) {
    const lines = error instanceof SettingsError ? error.problems : [startFailure(error)];
    for (const line of lines) process.stderr.write(`headgate: ${line}\n`);
    return error instanceof SettingsError ? 2 : 3;
  }
}

if (import.meta.main) process.exit(await run(process.argv.slice(2)));
