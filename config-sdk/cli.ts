/** The `headgate` command: reads arguments, runs one entry of the command table, turns the outcome into an exit code. */
import { masked } from '@headgate/runtime/masked';
import { Command, CommanderError } from 'commander';
import { complain } from './cli/complain.ts';
import { exitCodes } from './commands/command.ts';
import { commands } from './commands/index.ts';
import { EnvironmentFault } from './findings.ts';
import { version } from './own-packages.ts';

/** `asked` is the first word of the command line; where it names no command, all of them are there to be listed. */
async function program(asked: string | undefined): Promise<Command> {
  const root = new Command('headgate')
    .description('Configuration in git, compiled and served: check, build and publish a gateway.')
    .version(version)
    .helpCommand(false)
    .showHelpAfterError('(see --help)')
    .exitOverride();
  const one = asked !== undefined && Object.hasOwn(commands, asked) ? commands[asked] : undefined;
  for (const add of await Promise.all((one ? [one] : Object.values(commands)).map((load) => load()))) add(root);
  // A command takes over settings of its parent only when it is made; these are made before.
  const every = (command: Command): Command[] => [command, ...command.commands.flatMap(every)];
  for (const command of every(root))
    command
      .exitOverride()
      .showHelpAfterError('(see --help)')
      .allowExcessArguments(false)
      .configureOutput({ writeErr: (text) => process.stderr.write(masked(text)) });
  return root;
}

/** Runs one command line and gives the exit code. */
export async function run(parameters: readonly string[]): Promise<number> {
  process.exitCode = exitCodes.fine;
  // Whoever reads it may have seen enough: `headgate generate openapi | head`.
  process.stdout.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode);
  });
  try {
    const root = await program(parameters[0]);
    if (parameters.length === 0) {
      root.outputHelp({ error: true });
      return exitCodes.usage;
    }
    await root.parseAsync(parameters, { from: 'user' });
    return Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.usage;
    if (error instanceof EnvironmentFault) complain(error.message);
    else complain(`this should not happen, please report it: ${error instanceof Error ? error.stack : String(error)}`);
    return exitCodes.environment;
  }
}

// Set instead of exiting: what is still to be written on a pipe must get there.
if (import.meta.main) process.exitCode = await run(process.argv.slice(2));
