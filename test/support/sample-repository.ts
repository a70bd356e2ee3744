/** A team's repository in a temporary folder, as the authoring tests need it. */
import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { command, packageDirectory } from './command.ts';

const run = promisify(execFile);

/** A configuration that is fine; `limit` makes different ones. */
export const sampleConfig = (
  limit = 10,
): string => `import { consumer, defineGateway, model, provider, quota } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const free = quota('free', { unit: 'requests', limit: ${limit}, window: '1h' });
const echo = model('echo', { targets: [sandbox.target('echo')], quotas: [free] });
const team = consumer('team', { keys: ['sha256:${'0'.repeat(63)}1'] });

export default defineGateway({ name: 'demo', models: [echo], consumers: [team] });
`;

/** A temporary folder that goes when the test ends. */
export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'headgate-test-')));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

/** Makes `import 'headgate'` resolve in `folder`, as an installation would. */
export async function installHeadgate(folder: string): Promise<void> {
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await symlink(await realpath(packageDirectory), join(folder, 'node_modules', 'headgate'));
}

/** Runs git without the settings of whoever runs the tests. */
export async function git(folder: string, ...parameters: readonly string[]): Promise<string> {
  const identity = [
    '-c',
    'user.name=Ada',
    '-c',
    'user.email=ada@example.com',
    '-c',
    'init.defaultBranch=main',
    '-c',
    'commit.gpgSign=false',
  ];
  const { stdout } = await run('git', [...identity, ...parameters], { cwd: folder });
  return stdout.trim();
}

/** Commits everything and gives the commit. */
export async function commitAll(folder: string, subject: string): Promise<string> {
  await git(folder, 'add', '--all');
  await git(folder, 'commit', '--quiet', '--allow-empty', '-m', subject);
  return git(folder, 'rev-parse', 'HEAD');
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the `headgate` command as a user does. */
export function headgate(
  folder: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const { GITHUB_ACTIONS, FORCE_COLOR, ...inherited } = process.env;
  void [GITHUB_ACTIONS, FORCE_COLOR];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [command, ...parameters],
      { cwd: folder, env: { ...inherited, ...environment } },
      (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
      },
    );
  });
}

export const readBytes = (folder: string, name: string): Promise<Buffer> => readFile(join(folder, name));
