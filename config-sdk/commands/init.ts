/** `headgate init`. */
import { dirname, relative } from 'node:path';
import { Option } from 'commander';
import { ciHosts, fromCheckout, type CiHost } from '../init/files.ts';
import { init, type InitOutcome } from '../init/init.ts';
import { ownDirectory, version } from '../own-packages.ts';
import { exitCodes, type CommandEntry } from './command.ts';

type Made = Extract<InitOutcome, { outcome: 'made' }>;

const indented = (lines: readonly string[]): string => lines.map((each) => `  ${each}\n`).join('');

/** No published packages yet: what stands in for them here, and what does in CI. */
const aboutTheCheckout = (checkout: string): string =>
  [
    'package.json depends on the checkout of Headgate that this command ran from, and types on what `npm run build` made there:',
    'run it again when the checkout moves on. CI has no such path; before the first pull request, keep packages in the repository:',
    indented([
      `npm pack --prefix ${checkout} --workspaces --pack-destination .`,
      `npm install --save-dev ./headgate-runtime-${version}.tgz ./headgate-${version}.tgz`,
    ]),
  ].join('\n');

function madeInWords({ directory, files, key, newRepository }: Made): string {
  const path = relative(process.cwd(), directory);
  const checkout = relative(process.cwd(), dirname(ownDirectory));
  const steps = [
    ...(fromCheckout ? [checkout === '' ? 'npm run build' : `npm run build --prefix ${checkout}`] : []),
    ...(path === '' ? [] : [`cd ${path}`]),
    'npm install',
    'npx --no-install headgate check && npx --no-install headgate test',
    "git add --all && git commit -m 'Begin a gateway'",
    'npx --no-install headgate dev',
  ];
  const words = [
    `made a gateway in ${path === '' ? 'this directory' : path}${newRepository ? ', a new git repository' : ''}:`,
    indented(files),
    `key of consumer 'team', shown this once (the config holds its hash):\n  ${key}`,
    '',
    `next:\n${indented(steps)}`,
  ];
  if (fromCheckout) words.push(aboutTheCheckout(relative(directory, dirname(ownDirectory))));
  return words.join('\n');
}

function refusalInWords(outcome: Exclude<InitOutcome, Made>): string {
  if (outcome.outcome === 'inside_repository')
    return `headgate: ${outcome.directory} lies inside the git repository ${outcome.top}, and a gateway stands at the top of its own; choose a directory outside, or run \`git init\` in it first\n`;
  return `headgate: nothing was written to ${outcome.directory}, because these are there already:\n${indented(outcome.files)}move them away, or choose another directory\n`;
}

export const initCommand: CommandEntry = (program) => {
  program
    .command('init')
    .argument('[dir]', 'where to make it; made when it is not there', '.')
    .summary("make a team's repository")
    .description(
      'A working repository: configuration, a prompt, a policy, tests, settings for the editor and a workflow for CI;\n`check` passes in it at once. Nothing that exists is overwritten: exit code 1 names all that is in the way.',
    )
    .addOption(new Option('--ci <host>', 'whose workflow to write').choices(ciHosts).default('github'))
    .option('--json', 'one JSON document')
    .action(async (directory: string, { ci, json }: { ci: CiHost; json?: boolean }) => {
      const outcome = await init(directory, ci);
      if (outcome.outcome !== 'made') process.exitCode = exitCodes.input;
      if (json) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
      else if (outcome.outcome === 'made') process.stdout.write(madeInWords(outcome));
      else process.stderr.write(refusalInWords(outcome));
    });
};
