/** What a configuration accepts: findings become notes with a reason, and nothing of it reaches the artifact. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { artifactFiles } from '../../config-sdk/artifact-files.ts';
import { check, type CheckResult } from '../../config-sdk/check.ts';
import { report, summary } from '../../config-sdk/report/report.ts';
import { sampleConfig, temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const upstreams = `const orders = upstream('orders', { url: 'http://orders.example.com', headers: { 'x-auth': secret('ORDERS') } });
const read = route('read', { path: '/orders', upstream: orders });
const unlisted = model('unlisted', { targets: [sandbox.target('echo')] });
`;

/** A configuration with a dangerous upstream, and with `gateway` beside the rest of defineGateway. */
async function judged(context: TestContext, gateway: string, more = '', routes = '[read]'): Promise<CheckResult> {
  const folder = await temporaryFolder(context);
  const text = sampleConfig()
    .replace('import {', 'import { route, secret, upstream,')
    .replace('export default', `${upstreams}${more}export default`)
    .replace('consumers: [team] }', `routes: ${routes}, consumers: [team], ${gateway} }`);
  await writeFiles(folder, { 'gateway.config.ts': text });
  return check(folder);
}

const codes = ({ findings }: CheckResult): string[] => findings.map(({ severity, code }) => `${severity} ${code}`);
const accepted = `accept: [{ code: 'credential_in_clear', in: orders, reason: 'the address is inside the VPN' }]`;

test('an error that may be accepted no longer stops the build, and the artifact is the same to the byte', async (context) => {
  const refused = await judged(context, '');
  assert.deepEqual(codes(refused), ['error credential_in_clear', 'warning unused_declaration']);
  assert.equal(refused.snapshot, undefined);

  const result = await judged(context, accepted);
  assert.deepEqual(codes(result), ['note credential_in_clear', 'warning unused_declaration']);
  assert.ok(result.snapshot);
  const other = await judged(context, accepted.replace('inside the VPN', 'only reached by us'));
  assert.ok(other.snapshot);
  assert.deepEqual(artifactFiles(result.snapshot, { seq: 0 }), artifactFiles(other.snapshot, { seq: 0 }));
  assert.doesNotMatch(JSON.stringify(result.snapshot), /accept|VPN/);
});

test('an object that only an exception names is neither served nor used', async (context) => {
  const entry = `{ code: 'unused_declaration', in: unlisted, reason: 'it is served from Monday on' }`;
  const result = await judged(context, accepted.replace('[{', `[${entry}, {`));
  assert.deepEqual(codes(result), ['note credential_in_clear', 'note unused_declaration']);
  assert.deepEqual(Object.keys(result.snapshot?.models ?? {}), ['echo']);
});

test('every report shows what is accepted, and why', async (context) => {
  const { findings, redact } = await judged(context, accepted);
  const shown = (format: 'pretty' | 'json' | 'github' | 'sarif'): string =>
    report(findings, format, { directory: '/', terminal: false, redact });
  assert.match(shown('pretty'), / note credential_in_clear .*; accepted: the address is inside the VPN\n/);
  assert.match(shown('github'), /^::notice file=.*accepted: the address is inside the VPN$/m);
  assert.equal((JSON.parse(shown('json')) as { accepted: number }).accepted, 1);
  const { runs } = JSON.parse(shown('sarif')) as { runs: { results: { ruleId: string; suppressions?: object[] }[] }[] };
  const result = runs[0]?.results.find(({ ruleId }) => ruleId === 'credential_in_clear');
  assert.deepEqual(result?.suppressions, [{ kind: 'inSource', justification: 'the address is inside the VPN' }]);
  assert.equal(summary(findings), '0 errors, 1 warning, 1 accepted');
});

test('an exception for one object leaves the others as they are', async (context) => {
  const more = `const bills = upstream('bills', { url: 'http://bills.example.com', headers: { 'x-auth': secret('BILLS') } });
const pay = route('pay', { path: '/bills', upstream: bills });
`;
  const result = await judged(context, accepted, more, '[read, pay]');
  assert.deepEqual(
    result.findings.filter(({ code }) => code === 'credential_in_clear').map(({ severity }) => severity),
    ['note', 'error'],
  );
});

test('while something is wrong, nobody is told that an exception is left over', async (context) => {
  const stale = `{ code: 'plain_http', in: orders, reason: 'the address is inside the VPN' }`;
  const broken = await judged(context, `accept: [${stale}]`);
  assert.deepEqual(codes(broken), ['error credential_in_clear', 'warning unused_declaration']);
  const mended = await judged(context, accepted.replace('[{', `[${stale}, {`));
  assert.ok(codes(mended).includes('warning stale_acceptance'));
});
