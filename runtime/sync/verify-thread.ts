/** Starts the thread that verifies artifacts. Loads nothing of the gateway, so that the thread can load beside it. */
import { Worker } from 'node:worker_threads';
import { sameCompileCache } from '../compile-cache.ts';

export interface ThreadOptions {
  /**
   * The last line of defence, and not a reliable one: where a single large allocation meets the limit, the engine ends the
   * process. What is read is bounded such that it stays far below.
   */
  readonly maxHeapMb: number;
  /** What the thread runs. */
  readonly program: URL;
}

// Running from source and from the build must start the file that is really there.
const program = new URL(import.meta.url.endsWith('.ts') ? './verify-worker.ts' : './verify-worker.js', import.meta.url);

/** What it makes is kept or small: more than this is memory that stands idle. */
const maxYoungMb = 8;

export const usualThread: ThreadOptions = { maxHeapMb: 512, program };

/** It does not keep the process, and an error of it needs no listener. */
export function startVerifyThread({ program, maxHeapMb } = usualThread): Worker {
  const worker = new Worker(program, {
    name: 'headgate-verify',
    // What it reads is not trusted, so it has no secrets to lose.
    env: sameCompileCache(),
    // Flags meant for the program, such as the type of what stands behind `--eval`, would be held against this file.
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb, maxYoungGenerationSizeMb: maxYoungMb },
  });
  worker.on('error', () => undefined);
  worker.unref();
  return worker;
}
