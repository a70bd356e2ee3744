/** `headgate generate`. */
import { writeFileSync } from 'node:fs';
import { snapshotSchema, type Snapshot } from '@headgate/runtime/snapshot';
import type { Command } from 'commander';
import { check } from '../check.ts';
import { snapshotJsonSchema } from '../compile/json-schema.ts';
import { EnvironmentFault } from '../findings.ts';
import { clientText } from '../generate/client.ts';
import { openApiDocument } from '../generate/openapi.ts';
import { exitCodes, show, type CommandEntry } from './command.ts';

interface Flags {
  readonly out?: string;
}

const inJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

function give(text: string, { out }: Flags): void {
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(out, text);
  } catch (cause) {
    throw new EnvironmentFault(`${out} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

/** What is written of a configuration that passes `check`; otherwise its findings are shown and nothing is written. */
const ofSnapshot =
  (write: (snapshot: Snapshot) => string) =>
  async (directory: string, flags: Flags): Promise<void> => {
    const result = await check(directory, { noise: 'stderr' });
    if (!result.snapshot) {
      show(result, directory, { format: 'pretty', aside: true });
      process.exitCode = exitCodes.input;
      return;
    }
    give(write(snapshotSchema.parse(result.snapshot)), flags);
  };

const withOut = (command: Command): Command =>
  command.option('--out <file>', 'where to write (default: standard output)');

export const generateCommand: CommandEntry = (program) => {
  const generate = program
    .command('generate')
    .summary('write what applications and tools need to know')
    .description('Definitions made of the configuration: the same bytes for the same configuration.')
    .helpCommand(false);
  withOut(generate.command('client'))
    .argument('[dir]', 'directory of gateway.config.ts', '.')
    .summary('TypeScript names and types for applications')
    .description(
      'A TypeScript file without dependencies: models, prompts and their variables, routes and error codes as types, so that\nan application that uses what is gone no longer compiles.',
    )
    .action(ofSnapshot(clientText));
  withOut(generate.command('openapi'))
    .argument('[dir]', 'directory of gateway.config.ts', '.')
    .summary('OpenAPI 3.1 document of what is served')
    .description('The data plane of this configuration as OpenAPI 3.1: model APIs, routes, keys, headers and errors.')
    .action(ofSnapshot((snapshot) => inJson(openApiDocument(snapshot))));
  withOut(generate.command('schema'))
    .summary('JSON Schema of snapshot.json')
    .description('JSON Schema (2020-12) of the snapshot.json in artifacts that this version writes and reads.')
    .action((flags: Flags) => give(inJson(snapshotJsonSchema()), flags));
};
