/** What a body must be before anything is read from it: text, not nested without end, an object. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeadgateError } from '../../runtime/errors.ts';
import { parseJson } from '../../runtime/pipeline/accept.ts';

function refused(bytes: string | Buffer): string {
  try {
    parseJson(Buffer.from(bytes));
  } catch (error) {
    if (error instanceof HeadgateError) return error.message;
    throw error;
  }
  return '';
}

const nested = (levels: number, inner = '1') => `{"a":${'['.repeat(levels - 1)}${inner}${']'.repeat(levels - 1)}}`;

test('a body may be nested 128 levels deep, and what stands in its strings is no level', () => {
  assert.equal(refused(nested(128)), '');
  assert.match(refused(nested(129)), /deeper than 128 levels/);
  const brackets = '[{'.repeat(200);
  for (const inside of [brackets, `\\"${brackets}`, `${brackets}\\\\`, `\\\\\\"${brackets}\\"`])
    assert.equal(refused(nested(128, `"${inside}"`)), '', inside.slice(0, 6));
  assert.match(refused(`{"a":"\\\\","b":${nested(128)}}`), /deeper/);
});

test('a body is UTF-8, with or without a byte order mark', () => {
  for (const text of ['{"a":"plain"}', '{"a":"é 😀"}', '\ufeff{"a":1}']) assert.equal(refused(text), '', text);
  assert.deepEqual(parseJson(Buffer.from('{"a":"é 😀"}')), { a: 'é 😀' });
  assert.match(refused(Buffer.from([0x7b, 0xff, 0x7d])), /not UTF-8/);
});

test('the depth of any JSON is told as it is, whatever its strings hold', () => {
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', 'a') }),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.string({ unit: fc.constantFrom('"', '\\', '[') }), tie('tree'), { maxKeys: 3 }),
    ),
  }));
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
  fc.assert(
    fc.property(tree, fc.integer({ min: 118, max: 128 }), (value, around) => {
      const isTooDeep = around + depthOf(value) > 128;
      assert.equal(refused(nested(around, JSON.stringify(value))).includes('deeper'), isTooDeep);
    }),
  );
});
