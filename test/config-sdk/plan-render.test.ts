/** How a plan is shown: what stands in a configuration can do nothing to a comment, and no comment is too long to be posted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say, type Change } from '../../config-sdk/plan/change.ts';
import type { TitledPlan } from '../../config-sdk/plan/plan.ts';
import type { PromptCase } from '../../config-sdk/plan/prompts.ts';
import { longestComment, markdown, marker } from '../../config-sdk/plan/render/markdown.ts';
import { code } from '../../config-sdk/plan/render/markdown-text.ts';
import { renderPlan } from '../../config-sdk/plan/render/render.ts';
import { textDiff } from '../../config-sdk/plan/text-diff.ts';

const change = (name: string, more: Partial<Change> = {}) => ({
  kind: 'access_gained' as const,
  risk: 'high' as const,
  object: `models.${name}`,
  sentence: say`model ${name} is new`,
  details: [],
  place: { text: 'gateway.config.ts:3:1', side: 'head' as const },
  ...more,
});

const promptCase = (diff: readonly string[], title = say`prompt ${'greeting'}`): PromptCase => ({
  object: 'prompts.greeting',
  title,
  tokens: { before: 10, after: 12 },
  costs: [],
  diff,
});

const plan = (parts: Partial<TitledPlan>): TitledPlan => ({
  gateway: 'acme',
  base: say`${'main'}`,
  head: ['the working tree'],
  notes: [],
  changes: [],
  prompts: [],
  ...parts,
});

const hostile = [
  '@team',
  '`@team`',
  '``',
  '` `',
  'a|b',
  '<img src=x onerror=alert(1)>',
  '</details>',
  '[click](https://evil.example.com)',
  'line\nbreak | **bold**',
  '-->',
  '#12',
  '\\',
  '',
];

/** Code and fences, taken out as a parser would: what remains is formatted. */
function formatted(text: string): string {
  const unfenced = text.replaceAll(/^(`{3,})[^\n]*\n[\s\S]*?\n\1$/gm, '');
  const unspanned = unfenced.replaceAll(/(?<!`)(`+)(?!`)([\s\S]*?[^`])\1(?!`)/g, '');
  return unspanned.replaceAll(/<code>[^<`]*<\/code>/g, '');
}

test('names and texts of a configuration stay code: no mention, link, HTML or cell of their own', () => {
  for (const text of hostile) {
    const shown = markdown(
      plan({
        changes: [change(text, { details: [say`used by ${text}`] })],
        prompts: [promptCase([`+${text}`, '+```', '+````md'], say`prompt ${text}`)],
        notes: [say`${text} does not compile`],
      }),
    );
    const bare = formatted(shown).replace(marker, '');
    assert.doesNotMatch(bare, /@team|<img|evil|\*\*bold|-->|(?<!&)#12/, text);
    assert.equal(bare.match(/<\/details>/g)?.length, 1, text);
    const rows = shown.split('\n').filter((line) => line.startsWith('| **'));
    assert.equal(rows.length, 1, text);
    assert.equal(rows[0]?.replaceAll('\\|', '').match(/\|/g)?.length, 4, text);
  }
});

test('a code span is fenced by more backticks than stand in it', () => {
  assert.equal(code('plain'), '`plain`');
  assert.equal(code('a`b'), '``a`b``');
  assert.equal(code('`'), '`` ` ``');
  assert.equal(code('a``b`'), '``` a``b` ```');
});

test('what cannot be seen is shown: marks that turn the direction of text, and characters without a form', () => {
  const text = 'safe\u202eevil\u200b\u{e0041}\u0007';
  const shown = markdown(plan({ changes: [change(text)], prompts: [promptCase([`+${text}`])] }));
  assert.equal(shown.match(/safe\\u\{202e\}evil\\u\{200b\}\\u\{e0041\}\\u\{7\}/g)?.length, 2);
  // oxlint-disable-next-line no-control-regex -- exactly these must be gone
  assert.doesNotMatch(shown, /[\u202e\u200b\u0007]/);
  assert.match(renderPlan(plan({ changes: [change(text)] }), 'pretty', { terminal: false }), /safe\\u\{202e\}evil/);
});

test('a plan without changes says so in a sentence, under the same marker', () => {
  assert.equal(
    markdown(plan({})),
    `${marker}\n### Headgate plan: no change\n\nNothing that is served changes (gateway \`acme\`, from \`main\` to the working tree).\n`,
  );
});

test('thousands of changes fit into one comment, the riskiest first, and it says what was left out', () => {
  const many = (risk: Change['risk']) => Array.from({ length: 5_000 }, (_, index) => change(`n${index}`, { risk }));
  const shown = markdown(plan({ changes: [...many('high'), ...many('low')], prompts: [promptCase(['+hello'])] }));
  assert.ok(shown.length <= longestComment);
  assert.ok(shown.length > longestComment - 3_000);
  assert.match(shown, /^10,000 changes: 5,000 high, 5,000 low/m);
  assert.match(
    shown,
    /Left out, since comments are limited in length: [\d,]+ changes of high or medium risk; 5,000 smaller changes; 1 rendered prompt\./,
  );
  assert.equal(shown.match(/<details/g)?.length ?? 0, shown.match(/<\/details>/g)?.length ?? 0);
});

test('smaller changes that do not all fit leave their fold closed', () => {
  const changes = Array.from({ length: 2_000 }, (_, index) => change(`n${index}`, { risk: 'low' }));
  const shown = markdown(plan({ changes: [change('first'), ...changes] }));
  assert.ok(shown.length <= longestComment);
  assert.match(shown, /\n<\/details>\n\n> Left out, .*: [\d,]+ smaller changes\./);
});

test('a huge prompt is cut in the comment and whole in JSON', () => {
  const before = Array.from({ length: 3_000 }, (_, index) => `Rule ${index} of the old house.`).join('\n');
  const after = Array.from({ length: 3_000 }, (_, index) => `Rule ${index} of the new house, which is another.`).join(
    '\n',
  );
  const lines = textDiff(before, after);
  assert.ok(lines.length >= 6_000);
  const titled = plan({ changes: [change('a')], prompts: [promptCase(lines), promptCase(['+short'])] });
  const shown = markdown(titled);
  assert.ok(shown.length <= longestComment);
  assert.match(shown, /… and [\d,]+ more lines\n<\/details>/);
  assert.match(shown, /^\+short$/m);
  const { prompts } = JSON.parse(renderPlan(titled, 'json', { terminal: false })) as { prompts: { diff: string[] }[] };
  assert.equal(prompts[0]?.diff.length, lines.length);
});

test('a long line is broken after sentences, so that an edit shows up in its own', () => {
  const text = (rest: string) =>
    `You answer questions about orders of the shop. Be brief and kind in all that you say. ${rest}`;
  assert.deepEqual(textDiff(text('Never promise a refund.'), text('Promise what you like.')), [
    '@@ -1,3 +1,3 @@',
    ' You answer questions about orders of the shop. ↩',
    ' Be brief and kind in all that you say. ↩',
    '-Never promise a refund.',
    '+Promise what you like.',
  ]);
  const schema = (last: string) => `{${'"name":"string",'.repeat(100)}${last}}`;
  assert.equal(textDiff(schema('a'), schema('b')).filter((line) => /^[-+]/.test(line)).length, 2);
  assert.notDeepEqual(textDiff(text('Be brief.  Be kind.'), text('Be brief. Be kind.')), []);
  assert.deepEqual(textDiff('same', 'same'), []);
  assert.deepEqual(textDiff('', 'new'), ['@@ -0,0 +1,1 @@', '+new']);
});

test('JSON gives every change its kind, risk, object, sentence and place', () => {
  const document = JSON.parse(renderPlan(plan({ changes: [change('fresh')] }), 'json', { terminal: false })) as unknown;
  assert.deepEqual(document, {
    gateway: 'acme',
    base: "'main'",
    head: 'the working tree',
    notes: [],
    counts: { high: 1, medium: 0, low: 0, info: 0 },
    changes: [
      {
        kind: 'access_gained',
        risk: 'high',
        object: 'models.fresh',
        sentence: "model 'fresh' is new",
        details: [],
        file: 'gateway.config.ts',
        line: 3,
        column: 1,
        side: 'head',
      },
    ],
    prompts: [],
  });
});
