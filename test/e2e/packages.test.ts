/** The two packages as a team installs them: from their tarballs, in a folder that knows nothing of this repository. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../support/until.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const npm = (cwd: string, ...parameters: string[]) =>
  run('npm', parameters, { cwd, env: { ...process.env, npm_config_loglevel: 'error' } });

test(
  'the published packages check, build and serve, and the runtime needs no compiler',
  { timeout: 300_000 },
  async (context) => {
    const folder = await temporaryFolder(context);
    // What was built here before stays: repositories made from this checkout read their types there.
    const built = ['runtime/dist', 'config-sdk/dist']
      .map((dist) => join(root, dist))
      .filter((dist) => !existsSync(dist));
    context.after(() => Promise.all(built.map((dist) => rm(dist, { recursive: true, force: true }))));
    // From a fresh checkout: packing builds what it packs.
    await npm(root, 'pack', '-w', 'runtime', '-w', 'config-sdk', '--pack-destination', folder);
    const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz')).sort();
    assert.equal(tarballs.length, 2);
    const [sdkTarball = '', runtimeTarball = ''] = tarballs;

    const image = join(folder, 'image');
    await writeFiles(image, { 'package.json': '{"name":"image","private":true,"type":"module"}' });
    await npm(image, 'install', '--no-audit', '--no-fund', join(folder, runtimeTarball));
    for (const absent of ['typescript', 'ts-morph', 'tsx', 'headgate'])
      assert.ok(!existsSync(join(image, 'node_modules', absent)), `${absent} is not installed`);
    const help = await run(process.execPath, [join(image, 'node_modules/.bin/headgate-runtime'), '--help']);
    assert.match(help.stdout, /--repo URL\|DIR/);

    const team = join(folder, 'team');
    await writeFiles(team, {
      'package.json': '{"name":"team","private":true,"type":"module"}',
      'gateway.config.ts': sampleConfig()
        .replace('import {', 'import { invariant, isLimited,')
        .replace('export default', "invariant('all is limited', isLimited());\n\nexport default"),
    });
    await npm(team, 'install', '--no-audit', '--no-fund', join(folder, runtimeTarball), join(folder, sdkTarball));
    const headgate = (...parameters: string[]) =>
      run(process.execPath, [join(team, 'node_modules/.bin/headgate'), ...parameters], { cwd: team });
    assert.match((await headgate('check')).stderr, /no problems/);
    // The tarball holds what `init` writes, and the new repository depends on the version that wrote it.
    await headgate('init', 'new');
    const fresh = join(team, 'new');
    const { devDependencies } = JSON.parse(await readFile(join(fresh, 'package.json'), 'utf8')) as {
      devDependencies: object;
    };
    assert.deepEqual(devDependencies, { headgate: '0.1.0', typescript: '7.0.2' });
    assert.match((await headgate('check', 'new')).stderr, /no problems/);
    // What an editor reads: without our own check, by the tsconfig.json that was written.
    await run(join(team, 'node_modules/.bin/tsc'), ['-p', fresh], { cwd: team });
    await rm(fresh, { recursive: true });
    await headgate('build', '--out', 'out');
    await writeFiles(team, {
      'tests/team.test.ts': `import { test } from 'headgate/test';
test('the team is served', async ({ gateway }) => {
  (await gateway.ask({ model: 'echo', consumer: 'team' })).goesTo('sandbox/echo');
});
`,
      'request.json': '{ "method": "GET", "path": "/v1/models", "consumer": "team" }',
    });
    assert.match((await headgate('test')).stdout, /1 test, all fine/);
    assert.match((await headgate('explain', 'request.json')).stdout, /would be answered by the gateway itself/);
    const published = await readFile(join(team, 'out/snapshot.json'), 'utf8');
    assert.match(published, /"format":"headgate\/snapshot\.v1"/);

    const serving = spawn(process.execPath, [
      join(image, 'node_modules/.bin/headgate-runtime'),
      '--seed',
      join(team, 'out'),
      '--listen',
      '127.0.0.1:0',
      '--admin',
      '127.0.0.1:0',
    ]);
    context.after(() => serving.kill('SIGKILL'));
    let said = '';
    serving.stdout.on('data', (piece: Buffer) => (said += piece.toString()));
    const adminUrl = await until('it listens', async () => /"adminUrl":"([^"]+)"/.exec(said)?.[1], 15_000);
    await until('it is ready', async () => (await fetch(`${adminUrl}/readyz`)).ok);

    // The compiler sees the SDK's declarations as an editor would.
    await writeFiles(team, { 'wrong.ts': sampleConfig().replace("target('echo')", "target('ecko')") });
    const tsc = join(team, 'node_modules/.bin/tsc');
    const flags = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2024',
      '--skipLibCheck',
      '--types',
      '',
    ];
    await run(tsc, [...flags, 'gateway.config.ts'], { cwd: team });
    await assert.rejects(run(tsc, [...flags, 'wrong.ts'], { cwd: team }), (error: Error & { stdout: string }) => {
      assert.match(
        error.stdout,
        /wrong\.ts\(5,\d+\): error TS2345: Argument of type '"ecko"' is not assignable to parameter of type '"echo"'/,
      );
      return true;
    });
  },
);
