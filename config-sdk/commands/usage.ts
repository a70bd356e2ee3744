/** `headgate usage`: what was used and what it cost, by whatever it is asked by; single calls; and what a commit changed. */
import type { ComparisonReport, UsageReport } from '@headgate/runtime/serve';
import { complain } from '../cli/complain.ts';
import { Option } from 'commander';
import { ask, defaultAddress, isAddress, noAddress, tokenFileOption } from './admin-plane.ts';
import { exitCodes, once, type CommandEntry } from './command.ts';
import { callsText, readCalls } from './usage-calls.ts';
import { comparisonTable, usageTable } from './usage-table.ts';

interface UsageOptions {
  readonly by?: string;
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly zone?: string;
  readonly where: readonly string[];
  readonly limit?: string;
  readonly compare?: string;
  readonly calls?: true;
  readonly request?: string;
  readonly after?: string;
  readonly format: 'pretty' | 'json' | 'csv';
  readonly tokenFile?: string;
}

/** What is wrong with the options themselves; the gateway judges what they ask for. */
function mistakeIn(url: string, options: UsageOptions): string | undefined {
  const { compare, calls, format, since, from, to, zone, by, request, after } = options;
  if (!isAddress(url)) return noAddress(url);
  if (!calls && (request !== undefined || after !== undefined)) return '--request and --after are for --calls';
  if (calls && (by !== undefined || compare !== undefined)) return '--calls takes neither --by nor --compare';
  if (compare === undefined)
    return since !== undefined && from !== undefined
      ? '--since and --from both say where it begins: give one of them'
      : undefined;
  if (!/^[^.]+\.\.[^.]+$/.test(compare)) return '--compare takes two commits: --compare 1a2b3c4..5d6e7f8';
  if (format === 'csv') return '--compare has no --format csv';
  if ([since, from, to, zone].some((given) => given !== undefined))
    return '--compare looks at all calls of both commits: leave --since, --from, --to and --zone out';
  return undefined;
}

function queryFor(options: UsageOptions): URLSearchParams {
  const { by, since, from, to, zone, where, compare, request, after } = options;
  const [revision, other] = compare?.split('..') ?? [];
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ by, since, from, to, zone, revision, with: other, request, after }))
    if (value !== undefined) query.set(name, value);
  for (const condition of where) query.append('where', condition);
  return query;
}

async function readReport(
  options: UsageOptions,
  read: (path: string) => Promise<Response>,
): Promise<string | Response> {
  const { format, compare, limit } = options;
  const query = queryFor(options);
  if (options.calls) {
    const found = await readCalls(read, { query, limit, format });
    if (found instanceof Response) return found;
    if (format === 'csv' && found.next !== undefined)
      process.stderr.write(`headgate: there are more: --after ${found.next}\n`);
    return callsText(found, format);
  }
  if (limit !== undefined) query.set('limit', limit);
  if (format === 'csv') query.set('format', 'csv');
  const response = await read(`/api/usage${compare === undefined ? '' : '/compare'}?${query.toString()}`);
  if (!response.ok) return response;
  const body = await response.text();
  if (format === 'csv') return body;
  if (format === 'json') return `${JSON.stringify(JSON.parse(body), null, 2)}\n`;
  return compare === undefined
    ? usageTable(JSON.parse(body) as UsageReport)
    : comparisonTable(JSON.parse(body) as ComparisonReport);
}

/** Returns the exit code. */
async function tell(url: string, options: UsageOptions): Promise<number> {
  const { tokenFile } = options;
  const told = await readReport(options, (path) => ask({ url, tokenFile }, { method: 'GET', path }));
  if (typeof told === 'string') {
    process.stdout.write(told);
    return exitCodes.fine;
  }
  const { detail } = (await told.json().catch(() => ({}))) as { detail?: string };
  complain(detail ?? `${new URL(url).origin} answered ${told.status}`);
  return told.status === 400 ? exitCodes.usage : exitCodes.environment;
}

const gather = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export const usageCommand: CommandEntry = (program) => {
  program
    .command('usage')
    .argument('[url]', 'admin address of a gateway that keeps a ledger', defaultAddress)
    .summary('what was used and what it cost, single calls, and what a commit changed')
    .option(
      '--by <names>',
      'consumer, key, team, organisation, tag, model, route, target, revision, day, month, …, several with commas',
      once,
    )
    .option('--since <duration>', 'the last 24h, 30d, … (default 24h)', once)
    .option('--from <moment>', 'the beginning, such as 2026-01-31 or 2026-01-31T09:30:00Z', once)
    .option('--to <moment>', 'the end, which is not included (default now)', once)
    .option('--zone <name>', "whose hours, days and months: UTC, or a time zone such as 'Europe/Berlin'", once)
    .option('--where <name=value>', 'only such calls; may be given several times', gather, [])
    .option('--limit <number>', 'rows at most', once)
    .option('--calls', 'single calls, the newest first (100, unless --limit says more)')
    .option('--request <id>', 'with --calls: what the ledger has of one request', once)
    .option('--after <place>', 'with --calls: those behind the last that were told', once)
    .option('--compare <one..other>', 'two commits, side by side', once)
    .addOption(new Option('--format <format>', 'how it is shown').choices(['pretty', 'json', 'csv']).default('pretty'))
    .addOption(tokenFileOption())
    .action(async (url: string, options: UsageOptions) => {
      const mistake = mistakeIn(url, options);
      if (mistake !== undefined) {
        complain(mistake);
        process.exitCode = exitCodes.usage;
        return;
      }
      process.exitCode = await tell(url, options);
    });
};
