/** The table of commands. */
import { buildCommand } from './build.ts';
import { checkCommand } from './check.ts';
import type { CommandEntry } from './command.ts';
import { commentCommand } from './comment.ts';
import { devCommand } from './dev.ts';
import { generateCommand } from './generate.ts';
import { initCommand } from './init.ts';
import { keysCommand } from './keys.ts';
import { acceptCommand, pauseCommand, pinCommand, resumeCommand, retryCommand, unpinCommand } from './orders.ts';
import { planCommand } from './plan.ts';
import { explainCommand } from './explain.ts';
import { publishCommand } from './publish.ts';
import { serveCommand } from './serve.ts';
import { statusCommand } from './status.ts';
import { testCommand } from './test.ts';

/** In the order of `--help`. */
export const commands: readonly CommandEntry[] = [
  initCommand,
  checkCommand,
  buildCommand,
  planCommand,
  testCommand,
  explainCommand,
  commentCommand,
  generateCommand,
  publishCommand,
  serveCommand,
  devCommand,
  keysCommand,
  statusCommand,
  pinCommand,
  unpinCommand,
  pauseCommand,
  resumeCommand,
  acceptCommand,
  retryCommand,
];
