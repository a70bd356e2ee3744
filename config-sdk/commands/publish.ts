/** `headgate publish`. */
import { topLevel } from '../git.ts';
import { publish, type Published } from '../publish.ts';
import { exitCodes, show, type CommandEntry } from './command.ts';
import { signingKeyFor, signKeyOption } from './sign-key.ts';

interface PublishFlags {
  readonly remote: string;
  readonly branch: string;
  readonly sourceRef: string;
  readonly signKey?: string;
  readonly afterRewrite: boolean;
  readonly json?: boolean;
}

function inWords({ result }: Published, branch: string): string {
  switch (result.outcome) {
    case 'published':
      return `published ${result.source} to ${branch} as seq ${result.seq}${result.changed ? '' : ', unchanged'}: ${result.digest}${result.signedBy ? `, signed with ${result.signedBy}` : ''}`;
    case 'already_published':
      return `${result.source} is published already, as seq ${result.seq}`;
    case 'skipped':
    case 'diverged':
      return `nothing published: ${result.reason}`;
    default:
      return 'nothing published: the configuration has errors';
  }
}

export const publishCommand: CommandEntry = (program) => {
  program
    .command('publish')
    .argument('[dir]', 'a directory inside the checkout', '.')
    .summary('compile a commit and put it on the artifact branch')
    .description(
      'For CI: compile what a commit holds, whatever the working tree looks like, and append it to the artifact branch.\nNever forced. An older job that finishes last publishes nothing and says so (exit code 0);\na commit on another line of history than what is published is an error (exit code 1).',
    )
    .option('--remote <name>', 'remote or address to publish to', 'origin')
    .option('--branch <name>', 'the artifact branch', 'headgate/compiled')
    .option('--source-ref <revision>', 'the commit to compile', 'HEAD')
    .option('--after-rewrite', 'publish although the history behind what is published was rewritten', false)
    .addOption(signKeyOption())
    .option('--json', 'one JSON document')
    .action(async (directory: string, options: PublishFlags) => {
      const key = signingKeyFor(options);
      const repository = await topLevel(directory);
      const published = await publish({ repository, ...options, key });
      const { result, compiled } = published;
      if (options.json)
        process.stdout.write(`${JSON.stringify({ ...result, findings: compiled?.findings ?? [] }, null, 2)}\n`);
      else {
        if (compiled) show(compiled, compiled.directory, { aside: result.outcome !== 'refused' });
        const stream = result.outcome === 'published' ? process.stdout : process.stderr;
        stream.write(`${inWords(published, options.branch)}\n`);
      }
      if (result.outcome === 'refused' || result.outcome === 'diverged') process.exitCode = exitCodes.input;
    });
};
