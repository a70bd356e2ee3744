/** `headgate plan`. */
import { complain } from '../cli/complain.ts';
import { Option } from 'commander';
import { topLevel } from '../git.ts';
import { planFormats, renderPlan, type PlanFormat } from '../plan/render/render.ts';
import { planRevisions } from '../plan/revisions.ts';
import { NothingToReplay } from '../plan/traffic/replay.ts';
import { exitCodes, jsonOption, mayColour, once, show, type CommandEntry } from './command.ts';

interface PlanFlags {
  readonly base?: string;
  readonly head?: string;
  readonly format?: PlanFormat;
  readonly json?: boolean;
  readonly traffic?: string;
}

function onlyWhereNothingReplays(error: unknown): undefined {
  if (!(error instanceof NothingToReplay)) throw error;
  complain(error.message);
  process.exitCode = exitCodes.input;
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
      once,
    )
    .option('--head <revision>', 'what is planned (default: the working tree)', once)
    .option(
      '--traffic <file>',
      "decide recorded requests under both: the log of a gateway, or lines of 'headgate/traffic.v1'",
      once,
    )
    .addOption(new Option('--format <format>', 'how the plan is shown (default: pretty)').choices(planFormats))
    .addOption(jsonOption())
    .action(async (directory: string, { base, head, traffic, ...options }: PlanFlags) => {
      const format = options.format ?? (options.json ? 'json' : 'pretty');
      const asked = { repository: await topLevel(directory), base, head, traffic };
      const planned = await planRevisions(asked).catch(onlyWhereNothingReplays);
      if (!planned) return;
      const { plan, checked, directory: files } = planned;
      if (!plan) {
        show(checked, files, { format: format === 'json' ? 'json' : 'pretty' });
        process.exitCode = exitCodes.input;
        return;
      }
      process.stdout.write(renderPlan(plan, format, { terminal: mayColour() }));
    });
};
