/** `headgate status`: what a running gateway serves and why, for a terminal. */
import type { StatusReport } from '@headgate/runtime/serve';
import { complain } from '../cli/complain.ts';
import { askStatus, defaultAddress, isAddress, noAddress, tokenFileOption } from './admin-plane.ts';
import { exitCodes, type CommandEntry } from './command.ts';

function verificationInWords({ verify }: StatusReport): string {
  if (verify.mode === 'unsigned') return verify.note;
  return verify.signer === undefined ? 'signatures are demanded' : `signed by ${verify.signer}, ${verify.fingerprint}`;
}

function age(time: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(time)) / 1_000));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  const [unit, length] = units.find(([, least]) => seconds >= least) ?? ['s', 1];
  return `${Math.floor(seconds / length)}${unit} ago`;
}

type WordReport = StatusReport['word'];

const eventsInWords = { accepted: 'accepted', rolled_back: 'rolled back', held: 'held' } as const;
const mostShown = 8;

function storyInWords({ recent }: WordReport, now: number): string[] {
  if (recent.length === 0) return [];
  const lines = recent.slice(0, mostShown).map(({ event, time, revision, artifact, reason, detail }) => {
    const what = `${eventsInWords[event]}${event === 'held' && reason ? ` (${reason})` : ''}`;
    return `  ${age(time, now).padEnd(8)} ${revision ?? artifact?.slice(0, 12) ?? 'the branch'} ${what}: ${detail}`;
  });
  return ['lately', ...lines];
}

function deliveryInWords(name: string, delivery: WordReport['webhook'], now: number): string[] {
  if (!delivery) return [];
  const { origin, waiting, lastOkAt, lastFailure } = delivery;
  const last = lastFailure
    ? `FAILED ${age(lastFailure.at, now)}: ${lastFailure.problem}`
    : lastOkAt
      ? `last arrived ${age(lastOkAt, now)}`
      : 'nothing sent yet';
  return [`${name} ${origin}: ${last}${waiting > 0 ? `, ${waiting} waiting` : ''}`];
}

function rolloutInWords(rollout: NonNullable<StatusReport['rollout']>): string[] {
  const { candidate, stage, stages, share, endsAt, cohort, others, evidence } = rollout;
  const failed = ({ requests, failures }: typeof cohort) => `${failures} of ${requests}`;
  return [
    `rollout    ${candidate.revision} serves ${Math.round(share * 10_000) / 100} % of the consumers, stage ${stage} of ${stages} until ${endsAt}`,
    `           failed with it: ${failed(cohort)}, without it: ${failed(others)}; evidence against it: ${Math.round(evidence * 10) / 10} of 100`,
  ];
}

function activeInWords({ revision, seq, source, health }: NonNullable<StatusReport['active']>): string {
  const name = `${revision}${source ? ` "${source.subject}" (${source.author})` : ''}${seq > 0 ? `, seq ${seq}` : ''}`;
  // The one that was taken back is another one.
  return health === 'rolled-back' ? `${name} (after a rollback)` : `${name}, ${health}`;
}

function inWords(status: StatusReport): string {
  const {
    state,
    active,
    held,
    waiting,
    verdictStore,
    pause,
    rollout,
    bake,
    tip,
    source,
    quarantine,
    pinnable,
    generationsLive,
    word,
    stateProblem,
  } = status;
  const now = Date.now();
  const lines = [`state      ${state}`];
  if (active) {
    lines.push(`serving    ${activeInWords(active)}`);
    lines.push(`digest     ${active.digest}`);
  } else lines.push('serving    nothing');
  if (pause)
    lines.push(`${pause.pinned ? 'PINNED' : 'PAUSED'}     until ${pause.until}${pause.note ? `: ${pause.note}` : ''}`);
  if (waiting)
    lines.push(`waiting    ${waiting.commit.slice(0, 12)} is tried by another replica first, since ${waiting.since}`);
  if (verdictStore === 'unreachable')
    lines.push('verdicts   the shared store does not answer: this replica decides alone');
  if (held) lines.push(`held       ${held.reason}: ${held.detail}`);
  if (rollout) lines.push(...rolloutInWords(rollout));
  if (bake) lines.push(`on trial   until ${bake.endsAt}, ${bake.samples} requests so far`);
  lines.push(`verify     ${verificationInWords(status)}`);
  lines.push(`tip        ${tip.commit ?? 'unknown'}`);
  lines.push(
    `source     ${source.error ? `failing (${source.errorCode}): ${source.error}` : `last answered ${source.lastOkAt ?? 'never'}`}`,
  );
  for (const { commit, reason } of quarantine) lines.push(`quarantine ${commit.slice(0, 12)}: ${reason}`);
  if (pinnable.length > 0) lines.push(`pinnable   ${pinnable.map((commit) => commit.slice(0, 12)).join(', ')}`);
  if (stateProblem !== undefined) lines.push(`STATE      ${stateProblem}`);
  lines.push(`live       ${generationsLive} generation(s)`);
  lines.push(
    ...deliveryInWords('webhook   ', word.webhook, now),
    ...deliveryInWords('on commits', word.commitStatus, now),
  );
  lines.push(...storyInWords(word, now));
  // Subjects and names come from git, and may hold what a terminal takes for orders.
  return lines.map((line) => `${line.replaceAll(/\p{Cc}/gu, ' ')}\n`).join('');
}

export const statusCommand: CommandEntry = (program) => {
  program
    .command('status')
    .argument('[url]', 'admin address of a gateway', defaultAddress)
    .summary('what a running gateway serves and why')
    .addOption(tokenFileOption())
    .option('--json', 'the status document itself')
    .action(async (url: string, options: { tokenFile?: string; json?: boolean }) => {
      if (!isAddress(url)) {
        complain(noAddress(url));
        process.exitCode = exitCodes.usage;
        return;
      }
      const status = await askStatus({ url, tokenFile: options.tokenFile });
      process.stdout.write(options.json ? `${JSON.stringify(status, null, 2)}\n` : inWords(status));
    });
};
