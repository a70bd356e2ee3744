/** What `npm run test:python` executes: the Python SDKs in an environment of their own, against a gateway of this process. Not part of `npm test`: not every machine has Python. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testKey } from '../support/gateway.ts';
import { pixel, startVendorStage } from '../support/vendor-stage.ts';

const here = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), 'headgate-python-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

const run = (program: string, ...parameters: string[]) =>
  spawnSync(program, parameters, { encoding: 'utf8', timeout: 300_000 });

/** The interpreter of a fresh environment that has the SDKs, or why there is none. */
function prepare(): { readonly python: string } | { readonly missing: string } {
  const version = run('python3', '--version');
  if (version.status !== 0) return { missing: 'python3 is not installed.' };
  const made = run('python3', '-m', 'venv', folder);
  if (made.status !== 0)
    return { missing: `python3 cannot make an environment (on Debian: python3-venv).\n${made.stdout}${made.stderr}` };
  const python = join(folder, 'bin/python');
  const words = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    join(here, 'requirements.txt'),
  ];
  const installed = run(python, ...words);
  if (installed.status !== 0) return { missing: `pip could not install the SDKs.\n${installed.stderr}` };
  return { python };
}

async function testWith(python: string): Promise<number> {
  const stage = await startVendorStage();
  try {
    const env = { ...process.env, GATEWAY_URL: stage.gateway.dataUrl, GATEWAY_KEY: testKey, PIXEL: pixel };
    const tests = spawn(python, ['-B', '-W', 'ignore', join(here, 'sdks.py'), ...process.argv.slice(2)], {
      env,
      stdio: 'inherit',
    });
    const [code] = (await once(tests, 'close')) as [number | null];
    // Streams that were left half way must have taken the vendor's connection along: the process would wait for them.
    await Promise.all(stage.stuck().map(({ abandoned }) => abandoned));
    return code ?? 1;
  } finally {
    await stage.close();
  }
}

const ready = prepare();
if ('missing' in ready) console.error(`The Python SDKs were not tested: ${ready.missing}`);
process.exitCode = 'missing' in ready ? 1 : await testWith(ready.python);
