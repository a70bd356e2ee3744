/** Prompt templates: places and values, and no logic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeadgateError } from '../../runtime/errors.ts';
import { bindPrompt, cutTemplate, fillTemplate } from '../../runtime/generation/template.ts';

const fill = (template: string, values: Readonly<Record<string, string>>) =>
  fillTemplate(cutTemplate(template), (name) => values[name] ?? assert.fail(`asked for ${name}`));
const nothing = () => undefined;
const text = (messages: ReturnType<ReturnType<typeof bindPrompt>>) =>
  messages.map(({ role, parts }) => [role, parts.map((part) => ('text' in part ? part.text : '')).join('')]);
const refused = (make: () => unknown): HeadgateError => {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof HeadgateError);
    return error;
  }
  assert.fail('nothing was refused');
};

test('places are filled wherever they stand, with or without spaces inside', () => {
  assert.equal(fill('{{a}}{{ b }} and {{a}}.', { a: '1', b: '2' }), '12 and 1.');
  assert.equal(fill('no place { } {} {x}', {}), 'no place { } {} {x}');
});

test('a template and its values come out as they went in, whatever they hold', () => {
  const plain = fc.string({ unit: 'grapheme' }).map((word) => word.replaceAll(/[{}]/g, ''));
  const anything = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('{{b}}', '$&', '$1', '{{', '\\', '__proto__'),
  );
  fc.assert(
    fc.property(plain, plain, anything, anything, (before, between, a, b) => {
      assert.equal(fill(`${before}{{a}}${between}{{b}}`, { a, b }), `${before}${a}${between}${b}`);
    }),
  );
});

test('values come from literal, request and default, in that meaning', () => {
  const render = bindPrompt(
    { system: '{{fixed}} {{asked}} {{spare}}', user: 'U {{asked}}' },
    {
      fixed: 'literal {{asked}}',
      asked: { from: 'header', name: 'x-asked' },
      spare: { from: 'metadata', name: 'spare', default: 'default' },
    },
  );
  assert.deepEqual(text(render((from, name) => (from === 'header' && name === 'x-asked' ? 'given' : undefined))), [
    ['system', 'literal {{asked}} given default'],
    ['user', 'U given'],
  ]);
  assert.deepEqual(text(render(() => '')), [
    ['system', 'literal {{asked}}  '],
    ['user', 'U '],
  ]);
});

test('a value that is missing is refused with its name and its place', () => {
  const render = bindPrompt({ user: '{{a}}' }, { a: { from: 'header', name: 'x-a' } });
  const error = refused(() => render(nothing));
  assert.deepEqual([error.code, error.status], ['prompt_variable_missing', 400]);
  assert.match(error.message, /'a': send it as request header 'x-a'/);
  for (const name of ['toString', '__proto__', 'constructor']) {
    const inherited = refused(() => bindPrompt({ user: `{{${name}}}` }, {})(nothing));
    assert.match(inherited.message, /the configuration gives it no value/);
  }
});

test('a variable with choices takes nothing else, wherever its value comes from', () => {
  const prompt = { system: '{{tone}}', choices: { tone: ['kind', 'brief'] } };
  assert.deepEqual(text(bindPrompt(prompt, { tone: 'kind' })(nothing)), [['system', 'kind']]);
  const asked = bindPrompt(prompt, { tone: { from: 'metadata', name: 'tone', default: 'rude' } });
  assert.deepEqual(text(asked(() => 'brief')), [['system', 'brief']]);
  for (const render of [
    () => asked(nothing),
    () => asked(() => 'Kind'),
    () => bindPrompt(prompt, { tone: 'x' })(nothing),
  ]) {
    assert.match(refused(render).message, /'tone' must be one of: kind, brief/);
  }
});

test('a hostile template is cut in time proportional to its length', () => {
  for (const hostile of ['{{'.repeat(200_000), '{{a '.repeat(100_000), '}}'.repeat(200_000)]) {
    const started = performance.now();
    cutTemplate(hostile);
    assert.ok(performance.now() - started < 1_000, `${performance.now() - started} ms for ${hostile.slice(0, 8)}…`);
  }
});
