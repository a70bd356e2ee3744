/** Threads that work on revisions give way to the one that answers requests. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** About a third of what a thread of normal priority gets where the two compete; all there is where they do not. */
const niceness = 5;

/** Called by the thread itself. Only Linux has a priority for each thread; elsewhere nothing happens. */
export function stepBack(): void {
  try {
    // Of the form `<process>/task/<thread>`.
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (thread > 0) setPriority(thread, niceness);
  } catch {
    // Not this system, or not allowed: fair shares will do.
  }
}
