/** `headgate dev`: the whole loop on one machine, from a commit in the local repository to the next answer. */
import type { Command } from 'commander';
import { complain } from '../cli/complain.ts';
import { startFailure } from '@headgate/runtime/main';
import { serve, untilSignalled, type Gateway } from '@headgate/runtime/serve';
import { readSettings, SettingsError } from '@headgate/runtime/settings';
import { devKeyVariable, surroundings } from '../cli/environment.ts';
import { committedSource, watchedSource, type DevOptions } from '../dev.ts';
import { commitOf, topLevel } from '../git.ts';
import { createKey, hashKey } from '../keys.ts';
import { exitCodes, show, type CommandEntry } from './command.ts';
import { addSettings, settingFlags } from './settings-options.ts';

function devKey(): string {
  const given = surroundings().devKey;
  if (given === undefined) return createKey();
  if (!/^[\x21-\x7e]{8,200}$/.test(given))
    throw new SettingsError([`${devKeyVariable} must be 8 to 200 visible ASCII characters`]);
  return given;
}

/** Settings that speak of artifacts somebody else made; here they are made on the spot. */
const judging = ['signers', 'audience'] as const;
/** Settings that tell others; what is tried at a desk is nobody's news. */
const telling = [
  'webhook',
  'webhook-secret-file',
  'commit-status',
  'commit-status-url',
  'commit-status-context',
  'commit-status-token-file',
] as const;
const forOthers = [...judging, ...telling].map((name) => `HEADGATE_${name.toUpperCase().replaceAll('-', '_')}`);

/** What `dev` does with the settings of the runtime; the reference page reads it too. */
export const devSettings = {
  without: ['repo', 'ref', 'seed', 'state-dir', 'git-token-file', ...judging, ...telling],
  defaults: { poll: '500ms', 'log-level': 'error', drain: '3s', workers: '1' },
} as const;

/** How a revision is named to a person: the commit and its subject. */
function revisionInWords({ revision, source }: Gateway): string {
  return source ? `${revision} "${source.subject}" (${source.author})` : `${revision}`;
}

function tryIt({ dataUrl, models: [model] }: Gateway, key: string): string {
  if (model === undefined) return '';
  const ask = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
  return `
  curl ${dataUrl}/v1/chat/completions \\
    -H 'authorization: Bearer ${key}' \\
    -H 'content-type: application/json' \\
    -d '${ask.replaceAll("'", "'\\''")}'
`;
}

interface Circumstances {
  readonly key: string;
  /** How the next revision comes about. */
  readonly from: string;
  /** Why there may be nothing to serve. */
  readonly lack: string;
}

function banner(gateway: Gateway, { key, from, lack }: Circumstances): string {
  const { dataUrl, adminUrl } = gateway;
  const serving = gateway.revision ? `serves ${revisionInWords(gateway)}` : `has nothing to serve yet: ${lack}`;
  return `
Headgate ${serving}

  data plane  ${dataUrl}
  console     ${adminUrl}/console
  key         ${key}
${tryIt(gateway, key)}
${from}
`;
}

/** One line for each change of what serves; quiet when only a trial ends. */
function teller(): { tell: () => void; of: (gateway: Gateway) => void } {
  let gateway: Gateway | undefined;
  let said = '';
  return {
    tell() {
      if (!gateway) return;
      const line = gateway.held
        ? `held: ${gateway.held.replace(/\.$/, '')}; ${gateway.revision ? `${gateway.revision} still serves` : 'nothing serves'}`
        : `now serving ${revisionInWords(gateway)}`;
      if (line !== said) process.stdout.write(`${new Date().toLocaleTimeString('en-GB')}  ${line}\n`);
      said = line;
    },
    of(started) {
      gateway = started;
      said = `now serving ${revisionInWords(started)}`;
    },
  };
}

async function dev(self: Command, watching: boolean): Promise<void> {
  const repository = await topLevel('.');
  const key = devKey();
  const own = Object.entries(devSettings.defaults).flatMap(([name, value]) => [`--${name}`, value]);
  const quietly = ['--repo', repository, ...own];
  const settings = readSettings([...quietly, ...settingFlags(self)], forOthers);
  const options: DevOptions = {
    repository,
    keyHash: hashKey(key),
    onFindings: (result, directory) => {
      // What is accepted stays so from commit to commit; `check` shows it.
      const findings = result.findings.filter(({ severity }) => severity !== 'note');
      if (findings.length > 0) show({ ...result, findings }, directory, { format: 'pretty', aside: true });
    },
  };
  const running: { gateway?: Gateway } = {};
  const onSave = () => void running.gateway?.poke();
  const source = watching ? await watchedSource({ ...options, onSave }) : committedSource(options);
  const { tell, of } = teller();
  // What serves changes a moment after the state that announces it.
  const gateway = await serve(settings, { source, onChange: () => setImmediate(tell) });
  running.gateway = gateway;
  of(gateway);
  const from = watching
    ? 'Save a change to gateway.config.ts and it is live.'
    : 'Commit a change to gateway.config.ts and it is live within seconds; git revert takes it back.';
  const bare = !watching && (await commitOf(repository, 'HEAD')) === undefined;
  const lack = bare ? 'this repository has no commit' : 'see above';
  process.stdout.write(banner(gateway, { key, from, lack }));
  await untilSignalled(gateway);
}

export const devCommand: CommandEntry = (program) => {
  const command = program
    .command('dev')
    .summary('run the gateway on the local repository, compiling each commit')
    .description(
      `The runtime on the repository of the current directory, following the checked-out branch.\nPrints a key for consumer 'dev': fresh at each start, or what ${devKeyVariable} holds.`,
    )
    .option('--watch', 'follow each save instead of each commit', false);
  addSettings(command, devSettings).action(async (options: { watch: boolean }, self: Command) => {
    try {
      await dev(self, options.watch);
    } catch (error) {
      const lines = error instanceof SettingsError ? error.problems : [startFailure(error)];
      complain(...lines);
      process.exitCode = error instanceof SettingsError ? exitCodes.usage : exitCodes.environment;
    }
    // Sockets that clients keep open must not keep the process.
    process.exit();
  });
};
