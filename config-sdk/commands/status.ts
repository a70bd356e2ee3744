/** `headgate status`: what a running gateway serves and why, for a terminal. */
import { readFileSync } from 'node:fs';
import type { StatusReport } from '@headgate/runtime/serve';
import { EnvironmentFault } from '../findings.ts';
import { exitCodes, type CommandEntry } from './command.ts';

async function askStatus(url: string, token: string | undefined): Promise<StatusReport> {
  const asked = new URL('/status', url);
  let response: Response;
  try {
    response = await fetch(asked, {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    throw new EnvironmentFault(
      `${asked.origin} does not answer: is the gateway running, and is this its admin address?`,
      { cause },
    );
  }
  if (response.status === 401) throw new EnvironmentFault(`${asked.origin} wants a token: give --token-file`);
  if (!response.ok) throw new EnvironmentFault(`${asked.origin} answered ${response.status}`);
  return (await response.json()) as StatusReport;
}

function verificationInWords({ verify }: StatusReport): string {
  if (verify.mode === 'unsigned') return verify.note;
  return verify.signer === undefined ? 'signatures are demanded' : `signed by ${verify.signer}, ${verify.fingerprint}`;
}

function inWords(status: StatusReport): string {
  const { state, active, held, pause, bake, tip, source, quarantine, generationsLive } = status;
  const lines = [`state      ${state}`];
  if (active) {
    const { revision, seq, source: from, health, digest } = active;
    lines.push(
      `serving    ${revision}${from ? ` "${from.subject}" (${from.author})` : ''}${seq > 0 ? `, seq ${seq}` : ''}, ${health}`,
    );
    lines.push(`digest     ${digest}`);
  } else lines.push('serving    nothing');
  if (pause)
    lines.push(`${pause.pinned ? 'PINNED' : 'PAUSED'}     until ${pause.until}${pause.note ? `: ${pause.note}` : ''}`);
  if (held) lines.push(`held       ${held.reason}: ${held.detail}`);
  if (bake) lines.push(`on trial   until ${bake.endsAt}, ${bake.samples} requests so far`);
  lines.push(`verify     ${verificationInWords(status)}`);
  lines.push(`tip        ${tip.commit ?? 'unknown'}`);
  lines.push(
    `source     ${source.error ? `failing (${source.errorCode}): ${source.error}` : `last answered ${source.lastOkAt ?? 'never'}`}`,
  );
  for (const { commit, reason } of quarantine) lines.push(`quarantine ${commit.slice(0, 12)}: ${reason}`);
  lines.push(`live       ${generationsLive} generation(s)`);
  return `${lines.join('\n')}\n`;
}

const isAddress = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

export const statusCommand: CommandEntry = (program) => {
  program
    .command('status')
    .argument('[url]', 'admin address of a gateway', 'http://127.0.0.1:9090')
    .summary('what a running gateway serves and why')
    .option('--token-file <file>', 'token of the admin plane')
    .option('--json', 'the status document itself')
    .action(async (url: string, options: { tokenFile?: string; json?: boolean }) => {
      if (!isAddress(url)) {
        process.stderr.write(`headgate: '${url}' is no http(s) address, such as http://127.0.0.1:9090\n`);
        process.exitCode = exitCodes.usage;
        return;
      }
      const token = options.tokenFile ? readFileSync(options.tokenFile, 'utf8').trim() : undefined;
      const status = await askStatus(url, token);
      process.stdout.write(options.json ? `${JSON.stringify(status, null, 2)}\n` : inWords(status));
    });
};
