/** `headgate test`: the repository's own expectations, offline. */
import { join } from 'node:path';
import { hasErrors } from '../findings.ts';
import { followSaves } from '../saves.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import { runTests, testFiles, type TestRun } from '../testing/run.ts';
import { resultsInWords } from '../testing/words.ts';
import { exitCodes, mayColour, show, type CommandEntry } from './command.ts';

interface Options {
  readonly watch?: boolean;
  readonly json?: boolean;
}

const isFine = ({ results, findings }: TestRun): boolean =>
  results !== undefined && results.length > 0 && results.every(({ failure }) => !failure) && !hasErrors(findings);

function tell(run: TestRun, directory: string, { json }: Options): void {
  const { results, findings, redact } = run;
  if (json) {
    const document = { ok: isFine(run), results: results ?? [], findings };
    process.stdout.write(`${redact(JSON.stringify(document, null, 2))}\n`);
    return;
  }
  if (findings.length > 0) show(run, directory, { format: 'pretty', aside: true });
  if (!results) return;
  if (results.length > 0) process.stdout.write(redact(resultsInWords(run, mayColour())));
  else process.stderr.write(`headgate: there are no tests here: write ${testFiles}\n`);
}

/** Never ends by itself: each save starts another run. */
async function runOnSaves(directory: string, again: () => Promise<void>): Promise<void> {
  let saved = Promise.withResolvers<void>();
  const saves = await followSaves(directory, () => saved.resolve());
  try {
    for (;;) {
      saved = Promise.withResolvers<void>();
      await again();
      await saved.promise;
    }
  } finally {
    saves.close();
  }
}

export const testCommand: CommandEntry = (program) => {
  program
    .command('test')
    .argument('[dir]', 'directory of gateway.config.ts', '.')
    .summary("run the repository's own tests, offline")
    .description(
      `Run ${testFiles} against the configuration: requests are decided by the code that serves live, with no secret, no network and a clock of their own.\nExit code 0: all hold; 1: one does not, or there is none.`,
    )
    .option('--watch', 'run again on each save')
    .option('--json', 'one JSON document for each run')
    .action(async (directory: string, options: Options) => {
      const once = async (): Promise<void> => {
        const run = await runTests(
          directory,
          options.watch ? { buildInfo: join(await scratchDirectory(directory), 'tests.tsbuildinfo') } : {},
        );
        tell(run, directory, options);
        process.exitCode = isFine(run) ? exitCodes.fine : exitCodes.input;
      };
      await (options.watch ? runOnSaves(directory, once) : once());
    });
};
