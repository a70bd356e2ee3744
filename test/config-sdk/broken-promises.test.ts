/** The request that a broken invariant is shown with takes the very path that breaks it, whatever stands on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDecider, readRequest } from '../../runtime/decide.ts';
import { check } from '../../config-sdk/check.ts';
import { temporaryFolder, writeFiles } from '../support/sample-repository.ts';

const head = `import { consumer, defineGateway, from, invariant, model, only, prompt, provider, staysWithin, when } from 'headgate';
const home = provider('home', { kind: 'sandbox', models: { small: { contextWindow: 8_192 } }, tags: ['eu'] });
const away = provider('away', {
  kind: 'sandbox',
  models: { big: { contextWindow: 8_192 }, vectors: { kind: 'embedding', contextWindow: 8_192 } },
});
const greet = prompt('greet', { system: 'Be {{tone}} to {{name}}', choices: { tone: ['kind', 'cold'] } });
const [homes, big] = [home.target('small'), away.target('big')];
const team = consumer('team', { keys: ['sha256:7ad1e6b0a3f4b8f5a1c0f1b6f9f0b1d1c8b8b0e8f5a3a1e2d4c6b8a09f7e5d3c'] });
const stays = ({ paths }: Parameters<Parameters<typeof invariant>[1]>[0]) => paths.every(({ end }) => end.tags.includes('eu'));
`;

/** What is on the way, as the model, and the promise that it breaks. */
const ways: Readonly<Record<string, readonly [spec: string, holds: string]>> = {
  'a header': [`{ targets: [when({ headers: { 'x-data': ["the team's", 'open'] } }, big, homes)] }`, 'stays'],
  'an entry of the metadata, tools and an image': [
    `{ targets: [when({ metadata: { tier: ['gold'] }, tools: true, images: true }, big, homes)] }`,
    'stays',
  ],
  'a condition that is met by nothing in particular': [`{ targets: [when({ stream: false }, homes, big)] }`, 'stays'],
  'a prompt that asks for values': [
    `{ targets: [big], prompt: greet.with({ tone: from.metadata('tone'), name: from.header('x-name') }) }`,
    'stays',
  ],
  'an operation without a conversation': [`{ targets: [away.target('vectors')] }`, 'stays'],
  'what the promise itself knows of requests': [
    `{ targets: [only({ tags: ['eu'], when: { metadata: { private: ['yes'] } } }, homes, big), when({ headers: { 'x-any': ['1'] } }, big)] }`,
    `staysWithin({ given: { metadata: { private: 'yes' }, stream: true }, tags: ['eu'] })`,
  ],
  'two ways, of which the promise leaves one': [
    `{ targets: [when({ metadata: { private: ['no'] } }, big, when({ headers: { 'x-side': ['b'] } }, big, homes))] }`,
    `staysWithin({ given: { metadata: { private: 'yes' } }, tags: ['eu'] })`,
  ],
};

for (const [name, [spec, holds]] of Object.entries(ways))
  test(`past ${name}`, async (context) => {
    const folder = await temporaryFolder(context);
    const config = `${head}const asked = model('asked', ${spec});
invariant('stays in the house', ${holds});
void [from, only, when, greet, staysWithin, stays, homes, big];
export default defineGateway({ name: 'demo', models: [asked], consumers: [team] });
`;
    await writeFiles(folder, { 'gateway.config.ts': config });
    const { findings, unproved } = await check(folder);
    const broken = findings.filter(({ severity }) => severity === 'error');
    assert.deepEqual(
      broken.map(({ code }) => code),
      ['invariant_violated'],
      JSON.stringify(findings),
    );
    assert.ok(unproved);
    // As a shell reads it.
    const [, quoted = ''] = /echo '(.*)' \|/.exec(broken[0]?.hint ?? '') ?? [];
    const request = readRequest(quoted.replaceAll(String.raw`'\''`, "'"));
    const { refusal, outcome } = await (await openDecider(unproved)).decide(request);
    assert.equal(refusal, undefined, quoted);
    assert.ok(
      outcome.order.some((label) => label.startsWith('away/')),
      `${quoted}: ${outcome.order.join()}`,
    );
  });
