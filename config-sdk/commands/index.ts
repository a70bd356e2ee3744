/** The table of commands. Each is loaded when it is asked for: most bring modules along that no other needs. */
import type { CommandEntry } from './command.ts';

/** By name, in the order of `--help`. */
export const commands: Readonly<Record<string, () => Promise<CommandEntry>>> = {
  init: async () => (await import('./init.ts')).initCommand,
  check: async () => (await import('./check.ts')).checkCommand,
  build: async () => (await import('./build.ts')).buildCommand,
  plan: async () => (await import('./plan.ts')).planCommand,
  test: async () => (await import('./test.ts')).testCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  comment: async () => (await import('./comment.ts')).commentCommand,
  generate: async () => (await import('./generate.ts')).generateCommand,
  publish: async () => (await import('./publish.ts')).publishCommand,
  serve: async () => (await import('./serve.ts')).serveCommand,
  dev: async () => (await import('./dev.ts')).devCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  usage: async () => (await import('./usage.ts')).usageCommand,
  pin: async () => (await import('./orders.ts')).pinCommand,
  unpin: async () => (await import('./orders.ts')).unpinCommand,
  pause: async () => (await import('./orders.ts')).pauseCommand,
  resume: async () => (await import('./orders.ts')).resumeCommand,
  accept: async () => (await import('./orders.ts')).acceptCommand,
  retry: async () => (await import('./orders.ts')).retryCommand,
};
