/** Findings for code hosts: SARIF that holds to the standard, and the report that GitLab reads. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { findingTable, type Finding } from '../../config-sdk/findings.ts';
import { gitlab } from '../../config-sdk/report/gitlab.ts';
import { referenceAddress } from '../../config-sdk/report/reference.ts';
import { sarif } from '../../config-sdk/report/sarif.ts';

const repository = { type: 'git', url: 'git+https://git.example.com/team/headgate.git' };
const schema = JSON.parse(
  readFileSync(new URL('../fixtures/sarif/used-of-sarif-2.1.0.json', import.meta.url), 'utf8'),
) as object;

const at = (file: string, line: number, code: string): Finding => ({
  file,
  line,
  column: 3,
  severity: 'error',
  code,
  message: `wrong: ${code}`,
  hint: 'write it otherwise',
});
const findings: Finding[] = [
  ...Object.keys(findingTable).map((code) => at('prompts/ein Ding.ts', 1, code)),
  { ...at('gateway.config.ts', 4, 'TS2322'), severity: 'warning' },
  { ...at('gateway.config.ts', 5, 'route_shadowed'), severity: 'note', accepted: 'it is on purpose' },
];

test('SARIF of every code holds to the schema of 2.1.0, with a page for each rule that we have', () => {
  const validate = new Ajv({ strict: false, formats: { uri: /^https:\/\/\S+$/, 'uri-reference': /^[!-~]*$/ } }).compile(
    schema,
  );
  const log = JSON.parse(sarif(findings, { prefix: 'gate/', repository })) as {
    runs: {
      tool: { driver: { rules: { id: string; helpUri?: string }[] } };
      results: { locations: { physicalLocation: { artifactLocation: { uri: string } } }[] }[];
    }[];
  };
  assert.ok(validate(log), JSON.stringify(validate.errors));
  const [run] = log.runs;
  const page = readFileSync(new URL('../../docs/reference/findings.md', import.meta.url), 'utf8');
  for (const { id, helpUri } of run?.tool.driver.rules ?? []) {
    const expected = `https://git.example.com/team/headgate/blob/HEAD/docs/reference/findings.md#${id}`;
    assert.equal(helpUri, id === 'TS2322' ? undefined : expected);
    if (helpUri !== undefined) assert.ok(page.includes(`(#${id})`), id);
  }
  assert.equal(
    run?.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri,
    'gate/prompts/ein%20Ding.ts',
    'from the top of the checkout',
  );
  assert.ok(validate(JSON.parse(sarif([], { prefix: '', repository: undefined }))));
});

test('a rule has no page where our package names no repository that a browser can open', () => {
  const address = 'https://github.com/o/r/blob/HEAD/docs/reference/findings.md#x';
  for (const named of ['github:o/r', 'git+https://github.com/o/r.git', { url: 'https://github.com/o/r' }])
    assert.equal(referenceAddress(named, 'x'), address);
  for (const named of [undefined, null, 4, 'git@github.com:o/r.git', { url: 'ssh://git@github.com/o/r' }, 'https://x'])
    assert.equal(referenceAddress(named, 'x'), undefined);
  assert.ok(!sarif(findings, { prefix: '', repository: undefined }).includes('helpUri'));
});

test("GitLab's report has what GitLab asks for, and a finding that moves to another line is the same", () => {
  interface Issue {
    readonly description: string;
    readonly check_name: string;
    readonly fingerprint: string;
    readonly severity: string;
    readonly location: { readonly path: string; readonly lines: { readonly begin: number } };
  }
  const read = (text: string): Issue[] => JSON.parse(text) as Issue[];
  const issues = read(gitlab(findings, 'gate/'));
  assert.deepEqual(issues.at(-1), {
    description: 'wrong: route_shadowed; accepted: it is on purpose',
    check_name: 'route_shadowed',
    fingerprint: issues.at(-1)?.fingerprint,
    severity: 'info',
    location: { path: 'gate/gateway.config.ts', lines: { begin: 5 } },
  });
  assert.deepEqual([issues[0]?.severity, issues.at(-2)?.severity], ['critical', 'minor']);
  assert.equal(new Set(issues.map(({ fingerprint }) => fingerprint)).size, findings.length);

  const fingerprints = (lines: readonly number[]): string[] =>
    read(
      gitlab(
        lines.map((line) => at('a.ts', line, 'invalid_value')),
        '',
      ),
    ).map(({ fingerprint }) => fingerprint);
  assert.deepEqual(fingerprints([1, 2]), fingerprints([7, 9]));
  assert.equal(new Set(fingerprints([1, 2])).size, 2, 'two alike are two');
  assert.equal(gitlab([], ''), '[]\n');
});
