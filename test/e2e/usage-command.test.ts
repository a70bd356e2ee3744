/** `headgate usage` as somebody asks it at night: what was used, and what the last commit changed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { headgate } from '../support/sample-repository.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

test(
  'headgate usage tells what was used, and what the refusals after a commit are',
  { timeout: 60_000 },
  async (context) => {
    await using directory = await temporaryDirectory();
    const repository = join(directory.path, 'repository.git');
    await initRepository(repository, { bare: true });
    const branch = artifactBranch(repository);
    await branch.publish(versioned(1));
    const gateway = await startWith([
      '--repo',
      repository,
      '--poll',
      '100ms',
      '--bake',
      '0s',
      '--ledger',
      join(directory.path, 'ledger'),
    ]);
    context.after(() => gateway.close());
    const [one, two] = [sourceOf(1).slice(0, 12), sourceOf(2).slice(0, 12)];
    const ask = async (model: string) => (await gateway.post('/v1/chat/completions', question(model))).status;
    const asked = [await ask('which'), await ask('which'), await ask('other')];
    await branch.publish(versioned(2));
    await until('the second serves', async () => gateway.revision === two);
    asked.push(await ask('which'), await ask('other'), await ask('other'));
    assert.deepEqual(asked, [200, 200, 404, 200, 404, 404]);

    const usage = (...more: string[]) => headgate(directory.path, ['usage', gateway.adminUrl, ...more]);
    const told = await until('all is written', async () => {
      const { stdout } = await usage('--by', 'revision,ended', '--format', 'csv');
      return stdout.split('\r\n').length === 6 && stdout;
    });
    const counts = told
      .split('\r\n')
      .slice(1, -1)
      .map((line) => line.split(',').slice(0, 3).join(' '));
    assert.deepEqual(
      counts.toSorted(),
      [`${one} served 2`, `${one} refused 1`, `${two} served 1`, `${two} refused 2`].toSorted(),
    );
    const pretty = (await usage('--by', 'model')).stdout;
    assert.match(pretty, /^model +calls +refused +failed/m);
    assert.match(pretty, /^total +6 +3 +0/m);

    const compared = await usage('--compare', `${one}..${two}`, '--by', 'code');
    assert.equal(compared.code, 0);
    assert.match(compared.stdout, new RegExp(`^ +${one} +${two}$`, 'm'));
    assert.match(compared.stdout, /^refused +33\.33 % +66\.67 %$/m);
    assert.match(compared.stdout, /^model_not_found\ncalls +1 +2$/m);

    const calls = await usage('--calls', '--where', `revision=${two}`, '--format', 'csv', '--limit', '2');
    assert.equal(calls.code, 0);
    const [head = '', ...lines] = calls.stdout.trimEnd().split('\r\n');
    assert.match(head, /^at,request,revision,model,/);
    assert.deepEqual(
      lines.map((line) => line.split(',').slice(2, 4).join(' ')),
      [`${two} `, `${two} `],
    );
    const [, place = ''] = /there are more: --after (\S+)/.exec(calls.stderr) ?? [];
    const rest = await usage('--calls', '--where', `revision=${two}`, '--after', place);
    assert.match(rest.stdout, new RegExp(`^ended at +request .*\n\\S+ +req_\\S+ +${two} +model:which `, 'm'));
    assert.equal(rest.stdout.trimEnd().split('\n').length, 3);

    const mistaken = await usage('--by', 'colour');
    assert.equal(mistaken.code, 2);
    assert.match(mistaken.stderr, /"colour" is nothing to ask by/);
    assert.equal((await usage('--compare', one)).code, 2);
  },
);
