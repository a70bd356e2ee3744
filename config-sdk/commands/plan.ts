/** `headgate plan`. */
import { Option } from 'commander';
import { surroundings } from '../cli/environment.ts';
import { topLevel } from '../git.ts';
import { planFormats, renderPlan, type PlanFormat } from '../plan/render/render.ts';
import { planRevisions } from '../plan/revisions.ts';
import { exitCodes, jsonOption, show, type CommandEntry } from './command.ts';

interface PlanFlags {
  readonly base?: string;
  readonly head?: string;
  readonly format?: PlanFormat;
  readonly json?: boolean;
}

export const planCommand: CommandEntry = (program) => {
  program
    .command('plan')
    .argument('[dir]', 'a directory inside the checkout', '.')
    .summary('say what a change means, risk first')
    .description(
      'Who gains or loses access, which limits, targets and guards move, and what each changed prompt becomes on its\nown fixtures, between two revisions. Exit code 0 whatever changes; 1: the head does not pass check.',
    )
    .option(
      '--base <revision>',
      'what to compare with (default: where the head parted from the branch that the merge request names in CI, or from the default branch)',
    )
    .option('--head <revision>', 'what is planned (default: the working tree)')
    .addOption(new Option('--format <format>', 'how the plan is shown (default: pretty)').choices(planFormats))
    .addOption(jsonOption())
    .action(async (directory: string, { base, head, ...options }: PlanFlags) => {
      const format = options.format ?? (options.json ? 'json' : 'pretty');
      const {
        plan,
        checked,
        directory: files,
      } = await planRevisions({ repository: await topLevel(directory), base, head });
      if (!plan) {
        show(checked, files, { format: format === 'json' ? 'json' : 'pretty' });
        process.exitCode = exitCodes.input;
        return;
      }
      const terminal = process.stdout.isTTY === true || surroundings().forceColor;
      process.stdout.write(renderPlan(plan, format, { terminal }));
    });
};
