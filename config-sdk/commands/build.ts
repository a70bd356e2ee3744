/** `headgate build`. */
import { join } from 'node:path';
import { artifactFiles } from '../artifact-files.ts';
import { writeArtifact } from '../build.ts';
import { check } from '../check.ts';
import { signArtifact } from '../signing/sign.ts';
import { scratchDirectory, scratchName } from '../scratch-directory.ts';
import {
  exitCodes,
  formatOption,
  jsonOption,
  show,
  verdict,
  type CommandEntry,
  type FormatOptions,
} from './command.ts';
import { signingKeyFor, signKeyOption } from './sign-key.ts';

export const buildCommand: CommandEntry = (program) => {
  program
    .command('build')
    .argument('[dir]', 'directory of gateway.config.ts', '.')
    .summary('check, then write the artifact')
    .description(
      'Check a configuration and write its artifact, manifest.json and snapshot.json: the same bytes on every machine.',
    )
    .option('--out <dir>', `where to write (default: ${scratchName}/build in the configuration's directory)`)
    .addOption(signKeyOption())
    .addOption(formatOption())
    .addOption(jsonOption())
    .action(async (directory: string, options: FormatOptions & { out?: string; signKey?: string }) => {
      const key = signingKeyFor(options);
      const result = await check(directory, { noise: 'stderr' });
      if (!result.snapshot) {
        show(result, directory, options);
        process.exitCode = verdict(result.findings) || exitCodes.input;
        return;
      }
      const { files: unsigned, digest } = artifactFiles(result.snapshot, { seq: 0 });
      const files = signArtifact(unsigned, key);
      const out = options.out ?? join(await scratchDirectory(directory), 'build');
      await writeArtifact(out, files);
      if (options.json) {
        const { findings } = result;
        process.stdout.write(
          `${JSON.stringify({ ok: true, out, digest, files: [...files.keys()], findings }, null, 2)}\n`,
        );
        return;
      }
      if (result.findings.length > 0) show(result, directory, { ...options, aside: true });
      process.stdout.write(`${out} ${digest}\n`);
    });
};
