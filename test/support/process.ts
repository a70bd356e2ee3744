/** Runs the `headgate` command as a process of its own, and waits for what it prints. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { command as ownCommand } from './command.ts';

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** Everything printed so far, both streams. */
  readonly output: string;
  /** The first match in what is printed, now or later; rejects when the process ends without it. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal and resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

export function startHeadgate(
  parameters: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>>; command?: string } = {},
): Running {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HEADGATE_')));
  const child = spawn(process.execPath, [options.command ?? ownCommand, ...parameters], {
    cwd: options.cwd,
    // One process for each gateway, where a test does not ask for more.
    env: { HEADGATE_WORKERS: '1', ...clean, ...options.env },
  });
  let output = '';
  const waiting = new Set<() => void>();
  const heard = (piece: Buffer) => {
    output += piece.toString('utf8');
    for (const look of waiting) look();
  };
  child.stdout.on('data', heard);
  child.stderr.on('data', heard);
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return {
    child,
    get output() {
      return output;
    },
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(output);
          if (!match) return;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended without printing ${pattern}:\n${output}`)));
      }),
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}
