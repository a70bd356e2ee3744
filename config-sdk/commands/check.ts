/** `headgate check`. */
import { check } from '../check.ts';
import { formatOption, jsonOption, show, verdict, type CommandEntry, type FormatOptions } from './command.ts';

export const checkCommand: CommandEntry = (program) => {
  program
    .command('check')
    .argument('[dir]', 'directory of gateway.config.ts', '.')
    .summary('find every problem in a configuration')
    .description(
      'Typecheck, schema, cross-rules and purity of a configuration: every problem at once, each at its line.\nExit code 0: fine (warnings too); 1: there are errors; 2: usage; 3: the environment is at fault.',
    )
    .addOption(formatOption())
    .addOption(jsonOption())
    .action(async (directory: string, options: FormatOptions) => {
      const result = await check(directory, { noise: 'stderr' });
      show(result, directory, options);
      process.exitCode = verdict(result.findings);
    });
};
