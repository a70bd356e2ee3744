/** The emergency orders to a running gateway: `headgate pin`, `unpin`, `pause`, `resume`, `accept`, `retry`. */
import type { Command } from 'commander';
import { complain } from '../cli/complain.ts';
import { parseDuration } from '@headgate/runtime/duration';
import type { StatusReport } from '@headgate/runtime/serve';
import {
  askStatus,
  defaultAddress,
  isAddress,
  noAddress,
  order,
  tokenFileOption,
  type Question,
} from './admin-plane.ts';
import { exitCodes, type CommandEntry } from './command.ts';

interface OrderOptions {
  readonly url: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
  readonly for?: string;
  readonly note?: string;
}

interface Order {
  readonly name: string;
  readonly question: (commit: string | undefined) => Question;
  /** Commits that it can be about; undefined: it is about none. */
  readonly candidates?: (status: StatusReport) => readonly string[];
  /** Said when it was carried out. */
  readonly done: (commit: string, now: StatusReport) => string;
}

const longestMs = 7 * 86_400_000;
const fewestDigits = 4;

function usageProblems({ url, for: length, note }: OrderOptions): string[] {
  const ms = length === undefined ? 1_000 : parseDuration(length);
  return [
    ...(isAddress(url) ? [] : [noAddress(url)]),
    ...(ms !== undefined && ms >= 1_000 && ms <= longestMs
      ? []
      : [`--for '${length}' is no duration such as 30m or 2h, from 1s to 7d`]),
    ...((note ?? '').length <= 500 ? [] : ['--note has more than 500 characters']),
  ];
}

type Told = Pick<StatusReport, 'active' | 'word'>;

/** An artifact commit goes by its own id and by that of the source commit it was made of. */
function isMeant(artifact: string, given: string, { active, word }: Told): boolean {
  if (artifact.replace(/^sha256:/, '').startsWith(given)) return true;
  const sources = [
    active?.commit === artifact ? active.source?.commit : undefined,
    ...word.recent.map((one) => (one.artifact === artifact ? one.commit : undefined)),
  ];
  return sources.some((source) => source?.startsWith(given));
}

/** The one commit that `given` means, or why there is none, in words. */
export function commitMeant(
  given: string,
  candidates: readonly string[],
  status: Told,
): { readonly commit: string } | { readonly problem: string } {
  const meant = [...new Set(candidates)].filter((artifact) => isMeant(artifact, given.toLowerCase(), status));
  const [commit] = meant;
  if (commit !== undefined && meant.length === 1) return { commit };
  const choice = (commits: readonly string[]) => commits.map((one) => one.slice(0, 12)).join(', ') || 'nothing';
  return commit === undefined
    ? {
        problem: `no commit that begins with '${given}' can be meant; it could be: ${choice([...new Set(candidates)])}`,
      }
    : { problem: `'${given}' may mean ${choice(meant)}: write more of it` };
}

function report(outcome: { order: string; done: boolean; commit?: string; detail: string }, json = false): void {
  if (json) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
  else if (outcome.done) process.stdout.write(`${outcome.detail}\n`);
  else complain(outcome.detail);
  process.exitCode = outcome.done ? exitCodes.fine : exitCodes.input;
}

async function carryOut({ name, question, candidates, done }: Order, given: string, options: OrderOptions) {
  const problems = usageProblems(options);
  if (candidates && !new RegExp(`^[0-9a-f]{${fewestDigits},64}$`, 'i').test(given))
    problems.push(`'${given}' is no commit: give at least the first ${fewestDigits} digits of one`);
  if (problems.length > 0) {
    complain(...problems);
    process.exitCode = exitCodes.usage;
    return;
  }
  const before = await askStatus(options);
  const meant = candidates ? commitMeant(given, candidates(before), before) : { commit: '' };
  if ('problem' in meant) return report({ order: name, done: false, detail: meant.problem }, options.json);
  const { commit } = meant;
  const about = commit === '' ? {} : { commit };
  if (name === 'unpin' && before.pause && before.pause.pinned === undefined) {
    const detail = 'nothing is pinned; it is paused: headgate resume ends that';
    return report({ order: name, done: false, detail }, options.json);
  }
  const refusal = await order(options, question(commit));
  if (refusal !== undefined) return report({ order: name, done: false, ...about, detail: refusal }, options.json);
  const detail = done(commit, await askStatus(options));
  return report({ order: name, done: true, ...about, detail }, options.json);
}

const addressed = (command: Command): Command =>
  command
    .option('--url <address>', 'admin address of a gateway', defaultAddress)
    .addOption(tokenFileOption())
    .option('--json', 'one JSON document');

const lasting = (command: Command): Command =>
  command
    .option('--for <duration>', 'how long, at most 7d', '1h')
    .option('--note <text>', 'who or why, for status and log', '');

const until = ({ pause }: StatusReport): string => (pause ? ` until ${pause.until}` : '');
const aboutCommit = '<commit>';
const commitHelp = `an artifact commit or its source commit, as status shows it; its first ${fewestDigits} digits or more`;

export const pinCommand: CommandEntry = (program) => {
  const command = program
    .command('pin')
    .argument(aboutCommit, commitHelp)
    .summary('in an emergency: serve a commit that served lately')
    .description(
      'Makes a running gateway serve a commit that served lately, whatever the branch does, until it is lifted or runs out.\nExit code 0: done; 1: refused; 2: usage; 3: the gateway does not answer.',
    );
  addressed(lasting(command)).action((given: string, options: OrderOptions) =>
    carryOut(
      {
        name: 'pin',
        candidates: ({ pinnable, active }) => [...pinnable, ...(active ? [active.commit] : [])],
        question: (commit) => ({
          method: 'POST',
          path: '/pin',
          body: { commit, for: options.for, note: options.note },
        }),
        done: (commit, now) => `pinned ${commit.slice(0, 12)}${until(now)}`,
      },
      given,
      options,
    ),
  );
};

export const pauseCommand: CommandEntry = (program) => {
  const command = program
    .command('pause')
    .summary('in an emergency: keep what serves, follow nothing')
    .description('Makes a running gateway keep what serves, whatever the branch does, until it is lifted or runs out.');
  addressed(lasting(command)).action((options: OrderOptions) =>
    carryOut(
      {
        name: 'pause',
        question: () => ({ method: 'POST', path: '/pause', body: { for: options.for, note: options.note } }),
        done: (_commit, now) => `paused${until(now)}; ${now.active?.revision ?? 'nothing'} serves`,
      },
      '',
      options,
    ),
  );
};

const liftCommand =
  (name: 'unpin' | 'resume', question: Question, summary: string): CommandEntry =>
  (program) => {
    addressed(program.command(name).summary(summary).description(`${summary}.`)).action((options: OrderOptions) =>
      carryOut({ name, question: () => question, done: () => 'the branch is followed again' }, '', options),
    );
  };

export const unpinCommand = liftCommand(
  'unpin',
  { method: 'DELETE', path: '/pin' },
  'End a pin: the branch is followed again',
);
export const resumeCommand = liftCommand(
  'resume',
  { method: 'POST', path: '/resume', body: {} },
  'End a pause or a pin: the branch is followed again',
);

const judgeCommand =
  (name: 'accept' | 'retry', summary: string, candidates: Order['candidates'] & object): CommandEntry =>
  (program) => {
    const command = program.command(name).argument(aboutCommit, commitHelp).summary(summary).description(`${summary}.`);
    addressed(command).action((given: string, options: OrderOptions) =>
      carryOut(
        {
          name,
          candidates,
          question: (commit) => ({ method: 'POST', path: `/${name}`, body: { commit } }),
          done: (commit) => `${commit.slice(0, 12)} is looked at anew: headgate status says what becomes of it`,
        },
        given,
        options,
      ),
    );
  };

export const acceptCommand = judgeCommand(
  'accept',
  'Take a refusal for rewind or shrink on yourself, once',
  ({ held }) => (held?.commit === undefined ? [] : [held.commit]),
);
export const retryCommand = judgeCommand('retry', 'Try a quarantined commit once more', ({ quarantine }) =>
  quarantine.map(({ commit }) => commit),
);
