/** `headgate status`: what a running gateway serves and why, for a terminal. */
import type { StatusReport } from '@headgate/runtime/serve';
import { askAdmin, isAddress, usualAdminUrl } from './admin-plane.ts';
import { exitCodes, type CommandEntry } from './command.ts';

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

export const statusCommand: CommandEntry = (program) => {
  program
    .command('status')
    .argument('[url]', 'admin address of a gateway', usualAdminUrl)
    .summary('what a running gateway serves and why')
    .option('--token-file <file>', 'token of the admin plane')
    .option('--json', 'the status document itself')
    .action(async (url: string, options: { tokenFile?: string; json?: boolean }) => {
      if (!isAddress(url)) {
        process.stderr.write(`headgate: '${url}' is no http(s) address, such as http://127.0.0.1:9090\n`);
        process.exitCode = exitCodes.usage;
        return;
      }
      const status = (await askAdmin(url, '/status', options.tokenFile)) as StatusReport;
      process.stdout.write(options.json ? `${JSON.stringify(status, null, 2)}\n` : inWords(status));
    });
};
