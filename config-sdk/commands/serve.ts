/** `headgate serve`. */
import type { Command } from 'commander';
import { run } from '@headgate/runtime/main';
import type { CommandEntry } from './command.ts';
import { addSettings, settingFlags } from './settings-options.ts';

export const serveCommand: CommandEntry = (program) => {
  const command = program
    .command('serve')
    .summary('run the gateway from an artifact branch')
    .description(
      'The runtime: serves the newest verified artifact and follows its branch.\nEach setting may also stand in the environment, as HEADGATE_…',
    );
  addSettings(command).action(async (_options: unknown, self: Command) => {
    // Sockets that clients keep open must not keep the process.
    process.exit(await run(settingFlags(self)));
  });
};
