/** A gateway in a process of its own, whose log lines a test reads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { ownModules } from './command.ts';
import { until } from './until.ts';

type Line = Record<string, unknown>;

/** A gateway in a process of its own, whose standard output is read. */
export async function logged(context: TestContext, snapshot: object, environment: Record<string, string> = {}) {
  const program = `
    import { startGateway } from './test/support/gateway.ts';
    const gateway = await startGateway(JSON.parse(process.env.SNAPSHOT), ['--log-level', 'trace']);
    console.log(JSON.stringify({ event: 'up', url: gateway.dataUrl, adminUrl: gateway.adminUrl }));`;
  const child = spawn(process.execPath, [...ownModules, '--input-type=module-typescript', '-e', program], {
    env: { ...process.env, ...environment, SNAPSHOT: JSON.stringify(snapshot) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const text: string[] = [];
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    text.push(line);
    lines.push(JSON.parse(line) as Line);
  });
  context.after(async () => {
    child.kill('SIGKILL');
    await once(child, 'close');
  });
  const up = await until('the gateway is up', async () => lines.find(({ event }) => event === 'up'), 10_000);
  const requestLine = (id: string) =>
    until(`the log line of ${id}`, async () =>
      lines.find(({ event, request }) => event === 'request' && request === id),
    );
  return { url: String(up['url']), adminUrl: String(up['adminUrl']), text, lines, requestLine };
}
