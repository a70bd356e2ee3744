/** `headgate comment`. */
import { complain } from '../cli/complain.ts';
import { readFileSync } from 'node:fs';
import { commentPlace, commentTokenVariables } from '../cli/environment.ts';
import { keepComment } from '../comment.ts';
import { EnvironmentFault } from '../findings.ts';
import { marker } from '../plan/render/markdown.ts';
import { exitCodes, type CommandEntry } from './command.ts';

/** The plan, or why there is none in `file`. Throws `EnvironmentFault`. */
function planIn(file: string): { text: string } | { wrong: string } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new EnvironmentFault(`${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  if (text.startsWith(`${marker}\n`)) return { text };
  return { wrong: `${file} does not begin with ${marker}; write it with \`headgate plan --format markdown\`` };
}

export const commentCommand: CommandEntry = (program) => {
  program
    .command('comment')
    .argument('<file>', 'what `headgate plan --format markdown` wrote')
    .summary('show a plan on the merge request, as one comment')
    .description(
      `For CI: the merge request that the job runs for gets the plan as a comment, and the same comment is brought up to date\nby each later job. GitHub (${commentTokenVariables.github}, may write pull requests) and GitLab (${commentTokenVariables.gitlab}, scope api).`,
    )
    .action(async (file: string) => {
      const plan = planIn(file);
      if ('wrong' in plan) {
        complain(plan.wrong);
        process.exitCode = exitCodes.input;
        return;
      }
      const place = commentPlace();
      if ('missing' in place)
        throw new EnvironmentFault(
          `this is no job for a merge request on GitHub or GitLab: not set: ${place.missing.join(', ')}`,
        );
      const done = await keepComment(place, plan.text);
      process.stderr.write(`comment on #${place.number} ${done}\n`);
    });
};
