/** `headgate serve` as a process that may be killed, on a local artifact branch that may go away. */
import { rmSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { StatusReport } from '../../runtime/serve.ts';
import { artifactBranch, type ArtifactBranch } from './artifact-branch.ts';
import { testKey } from './gateway.ts';
import { startHeadgate, type Running } from './process.ts';
import { initRepository, temporaryDirectory } from './repository.ts';
import { question } from './versioned.ts';

/** Many starts of the same code: written by those that end on purpose, it halves the time of all that follow. */
const ownCache = join(tmpdir(), `headgate-compile-cache-${process.pid}`);
process.once('exit', () => rmSync(ownCache, { recursive: true, force: true }));
/** That of the whole run knows the code before the first process here ends, which most do by SIGKILL. */
const compileCache = process.env['NODE_COMPILE_CACHE'] ?? ownCache;

export interface LogEntry {
  readonly event?: string;
  readonly seq?: number;
  readonly artifact?: string;
  readonly problem?: string;
}

export interface Serving extends Running {
  /** Every line of the log so far that is whole. */
  readonly entries: () => readonly LogEntry[];
  /** Asks model `which`; undefined when nothing answers. */
  readonly which: () => Promise<{ readonly says: string; readonly revision: string | null } | undefined>;
  readonly status: () => Promise<StatusReport>;
  readonly dataUrl: () => Promise<string>;
}

export interface Grounds {
  /** The bare repository. */
  readonly repository: string;
  readonly stateDir: string;
  readonly branch: ArtifactBranch;
  readonly setAway: (away: boolean) => Promise<void>;
  readonly start: (...flags: string[]) => Serving;
}

function parsed(line: string): LogEntry[] {
  try {
    return [JSON.parse(line) as LogEntry];
  } catch {
    return [];
  }
}

function serving(flags: readonly string[]): Serving {
  const running = startHeadgate(['serve', ...flags], { env: { NODE_COMPILE_CACHE: compileCache } });
  const address = async (name: string) =>
    (await running.printed(new RegExp(`"event":"listening".*"${name}":"([^"]+)"`)))[1] ?? '';
  return {
    child: running.child,
    get output() {
      return running.output;
    },
    printed: (pattern) => running.printed(pattern),
    end: (signal) => running.end(signal),
    entries: () => running.output.split('\n').flatMap(parsed),
    dataUrl: () => address('dataUrl'),
    async status() {
      return (await (await fetch(`${await address('adminUrl')}/status`)).json()) as StatusReport;
    },
    async which() {
      const response = await fetch(`${await address('dataUrl')}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${testKey}`, 'content-type': 'application/json' },
        body: JSON.stringify(question()),
      }).catch(() => undefined);
      if (!response) return undefined;
      const body = (await response.json()) as { choices?: { message: { content: string } }[] };
      const says = body.choices?.[0]?.message.content ?? `status ${response.status}`;
      return { says, revision: response.headers.get('headgate-revision') };
    },
  };
}

export async function grounds(context: TestContext): Promise<Grounds> {
  const directory = await temporaryDirectory();
  const [repository, stateDir] = [join(directory.path, 'repository.git'), join(directory.path, 'state')];
  await initRepository(repository, { bare: true });
  const started: Serving[] = [];
  context.after(async () => {
    await Promise.all(started.map((one) => one.end('SIGKILL')));
    await directory.remove();
  });
  const ports = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  return {
    repository,
    stateDir,
    branch: artifactBranch(repository),
    setAway: (away) => (away ? rename(repository, `${repository}.away`) : rename(`${repository}.away`, repository)),
    start(...flags) {
      const one = serving([...ports, '--repo', repository, '--poll', '100ms', '--state-dir', stateDir, ...flags]);
      started.push(one);
      return one;
    },
  };
}
