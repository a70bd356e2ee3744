/** `headgate usage`: what was used and what it cost, by whatever it is asked by; and what a commit changed. */
import type { ComparisonReport, UsageReport } from '@headgate/runtime/serve';
import { Option } from 'commander';
import { ask, defaultAddress, isAddress, noAddress, tokenFileOption } from './admin-plane.ts';
import { exitCodes, type CommandEntry } from './command.ts';
import { comparisonTable, usageTable } from './usage-table.ts';

interface UsageOptions {
  readonly by?: string;
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly where: readonly string[];
  readonly limit?: string;
  readonly compare?: string;
  readonly format: 'pretty' | 'json' | 'csv';
  readonly tokenFile?: string;
}

/** What is wrong with the options themselves; the gateway judges what they ask for. */
function mistakeIn(url: string, { compare, format, since, from, to }: UsageOptions): string | undefined {
  if (!isAddress(url)) return noAddress(url);
  if (compare === undefined) return undefined;
  if (!/^[^.]+\.\.[^.]+$/.test(compare)) return '--compare takes two commits: --compare 1a2b3c4..5d6e7f8';
  if (format === 'csv') return '--compare has no --format csv';
  if ([since, from, to].some((given) => given !== undefined))
    return '--compare looks at all calls of both commits: leave --since, --from and --to out';
  return undefined;
}

function pathFor(options: UsageOptions): string {
  const { by, since, from, to, where, limit, compare } = options;
  const [revision, other] = compare?.split('..') ?? [];
  const given = { by, since, from, to, limit, revision, with: other };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, value);
  for (const condition of where) query.append('where', condition);
  if (options.format === 'csv') query.set('format', 'csv');
  return `/api/usage${compare === undefined ? '' : '/compare'}?${query.toString()}`;
}

/** Returns the exit code. */
async function tell(url: string, options: UsageOptions): Promise<number> {
  const { tokenFile, format, compare } = options;
  const response = await ask({ url, tokenFile }, { method: 'GET', path: pathFor(options) });
  if (!response.ok) {
    const { detail } = (await response.json().catch(() => ({}))) as { detail?: string };
    process.stderr.write(`headgate: ${detail ?? `${new URL(url).origin} answered ${response.status}`}\n`);
    return response.status === 400 ? exitCodes.usage : exitCodes.environment;
  }
  const body = await response.text();
  if (format === 'csv') process.stdout.write(body);
  else if (format === 'json') process.stdout.write(`${JSON.stringify(JSON.parse(body), null, 2)}\n`);
  else if (compare === undefined) process.stdout.write(usageTable(JSON.parse(body) as UsageReport));
  else process.stdout.write(comparisonTable(JSON.parse(body) as ComparisonReport));
  return exitCodes.fine;
}

const gather = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const usageCommand: CommandEntry = (program) => {
  program
    .command('usage')
    .argument('[url]', 'admin address of a gateway that keeps a ledger', defaultAddress)
    .summary('what was used and what it cost, and what a commit changed')
    .option(
      '--by <names>',
      'consumer, team, organisation, tag, model, route, target, revision, day, month, …, several with commas',
    )
    .option('--since <duration>', 'the last 24h, 30d, … (default 24h)')
    .option('--from <moment>', 'the beginning, such as 2026-01-31 or 2026-01-31T09:30:00Z')
    .option('--to <moment>', 'the end, which is not included (default now)')
    .option('--where <name=value>', 'only such calls; may be given several times', gather, [])
    .option('--limit <number>', 'rows at most')
    .option('--compare <one..other>', 'two commits, side by side')
    .addOption(new Option('--format <format>', 'how it is shown').choices(['pretty', 'json', 'csv']).default('pretty'))
    .addOption(tokenFileOption())
    .action(async (url: string, options: UsageOptions) => {
      const mistake = mistakeIn(url, options);
      if (mistake !== undefined) {
        process.stderr.write(`headgate: ${mistake}\n`);
        process.exitCode = exitCodes.usage;
        return;
      }
      process.exitCode = await tell(url, options);
    });
};
