/** JSON from strangers: what `JSON.parse` says wherever it is taken, and the place of what is not. */
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseStrictJson, StrictJsonError } from '../../runtime/strict-json.ts';

const limits = { maxBytes: 1 << 20 };
const parse = (text: string | Uint8Array) =>
  parseStrictJson(typeof text === 'string' ? new TextEncoder().encode(text) : text, limits);

function refused(text: string | Uint8Array): StrictJsonError {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof StrictJsonError, String(error));
    return error;
  }
  assert.fail('it was taken');
}

describe('agrees with JSON.parse', () => {
  const hasReserved = (text: string) => /__proto__|prototype|constructor/.test(text);

  test('on every document that JSON.stringify writes, with and without white space', () => {
    const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '0', '1', '-1', 'a.b', 'toString'));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        fc.constantFrom(null, true, false, 0, -0, 1e21, 5e-324, 1.7976931348623157e308),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
        fc.array(tie('value'), { maxLength: 5 }),
        fc.dictionary(
          key.map((text) => text.replaceAll('\0', '')),
          tie('value'),
          { maxKeys: 5, noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, '\t', '\r\n'), (data, space) => {
        const text = JSON.stringify(data, undefined, space);
        fc.pre(!hasReserved(text));
        assert.deepEqual(parse(text), JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  test('on mutilated documents: what is taken means the same, what JSON.parse refuses is refused', () => {
    const document = '{"a":[1,-2.5e3,true,null,"x\\u00e9\\n\\"",{}],"b":{"c":"\\ud83d\\ude00 \u{1F600}"},"d":false}';
    const edit = fc.record({
      at: fc.nat(document.length),
      cut: fc.nat(3),
      put: fc.oneof(
        fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '1', '.', 'e', '-', ' ', '\n', '\u000b'),
        fc.constantFrom('\\u0041', '\\x', 'tru', '\u00a0', '\u2028', '\u007f', '/**/', "'", '+1', 'NaN'),
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let text = document;
        for (const { at, cut, put } of edits) text = text.slice(0, at) + put + text.slice(at + cut);
        // An edit that halved a pair of this very string: it could not be written as bytes.
        fc.pre(text.isWellFormed());
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          refused(text);
          return;
        }
        let taken: unknown;
        try {
          taken = parse(text);
        } catch (error) {
          // It may be stricter, but only about what it says it is stricter about.
          assert.match((error as Error).message, /twice|NUL|surrogate|too large/);
          return;
        }
        assert.deepEqual(taken, expected);
      }),
      { numRuns: 5_000 },
    );
  });

  test('fault 52: CRLF between tokens is white space as any other', () => {
    assert.deepEqual(parse('{\r\n"a": [\r\n1\r\n]\r\n}\r\n'), { a: [1] });
  });
});

describe('refuses, and names the place', () => {
  test('fault 52: reserved keys anywhere, however they are spelled', () => {
    for (const key of ['__proto__', 'prototype', 'constructor', '\\u005f_proto__', 'constr\\u0075ctor'])
      assert.match(refused(`{"a":{"b":[0,{"${key}":1}]}}`).message, /is not allowed at a\.b\[1\]\.\w+, offset 14$/);
    assert.deepEqual(parse('["__proto__","constructor"]'), ['__proto__', 'constructor']);
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  test('fault 52: the same key twice, also when it is spelled differently, and at any depth', () => {
    assert.equal(refused('{"a":1,"a":1}').message, 'the same key stands there twice at a, offset 7');
    assert.match(refused('{"x":{"routes":{},"\\u0072outes":{}}}').message, /twice at x\.routes, offset 18/);
    assert.match(refused('{"toString":1,"b":2,"toString":3}').message, /twice at toString/);
  });

  test('fault 52: nesting beyond the limit, long before the stack ends', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    assert.ok(parse(nested(64)));
    assert.match(
      refused(nested(65)).message,
      /^more than 64 levels of lists and objects at (\[0\]){4}…(\[0\]){4}, offset 64$/,
    );
    refused('{"a":'.repeat(100_000));
    refused('['.repeat(1_000_000));
  });

  test('fault 52: NUL, as a byte and as an escape, in keys, in text and between tokens', () => {
    for (const text of ['"a\\u0000b"', '"a\0b"', '{"\\u0000":1}', '{"a":\0 1}', '\0{}', '{}\0']) refused(text);
    assert.match(refused('{"a":"x\\u0000"}').message, /^a NUL character at a, offset 5$/);
  });

  test('fault 52: a byte order mark, text that is not UTF-8, and UTF-16', () => {
    assert.match(refused('\uFEFF{}').message, /byte order mark/);
    assert.match(refused(new Uint8Array([0x22, 0xff, 0x22])).message, /not UTF-8, offset 0$/);
    assert.match(
      refused(Buffer.concat([Buffer.from(`"${'x'.repeat(99)}`), Buffer.from([0xc3, 0x28])])).message,
      /offset 64$/,
    );
    assert.match(refused(new Uint8Array([0x22, 0xe2, 0x82])).message, /not UTF-8/);
    // An overlong spelling of a slash, and half of a surrogate pair as bytes.
    refused(new Uint8Array([0x22, 0xc0, 0xaf, 0x22]));
    refused(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]));
    refused(Buffer.from('{"a":1}', 'utf16le'));
  });

  test('halves of surrogate pairs in text and in keys', () => {
    for (const text of ['"\\ud83d"', '"\\ude00\\ud83d"', '{"\\ud800":1}', '"\\ud83dx"']) refused(text);
    assert.equal(parse('"\\ud83d\\ude00"'), '\u{1F600}');
  });

  test('numbers that nothing finite can stand for', () => {
    for (const text of ['1e999', '-1e400', '[1e309]', 'Infinity', 'NaN', '0x10', '01', '1.', '.5', '+1']) refused(text);
  });

  test('what is larger than allowed, before it is read', () => {
    const bytes = new TextEncoder().encode(JSON.stringify('x'.repeat(100)));
    assert.throws(() => parseStrictJson(bytes, { maxBytes: 50 }), /^StrictJsonError: 102 bytes, where 50 are allowed$/);
  });

  test('without ever repeating what stands there', () => {
    const secret = 'S3CRET'.repeat(50);
    const texts = [`{"a":"${secret}`, `{"a":"${secret}\\x"}`, `${secret}`, `{"a":1 "${secret}"}`, `["${secret}" "b"]`];
    for (const text of [...texts, `{"k":"${secret}\\ud800"}`]) assert.doesNotMatch(refused(text).message, /S3CRET/);
    const long = refused(`{"${'k'.repeat(5_000)}":{"x":[}}`);
    assert.ok(long.message.length < 200, long.message);
    const odd = refused('{"\\u001b[31m\u202e":{"a":1,"a":2}}');
    assert.match(odd.message, /^[\x20-\x7e…]*$/);
  });
});

test('takes time in proportion to the size, whatever stands in the document', () => {
  const shapes: ((n: number) => string)[] = [
    (n) => JSON.stringify(Object.fromEntries(Array.from({ length: n }, (_, index) => [`key${index}`, index]))),
    (n) => JSON.stringify('\\"'.repeat(n)),
    (n) => `[${'[],'.repeat(n)}0]`,
    (n) => `{"a":"${'\\u0041'.repeat(n)}"}`,
    (n) => `[${' '.repeat(n * 5)}0]`,
    (n) => `[${'9'.repeat(n)}`,
  ];
  const took = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    const times = Array.from({ length: 3 }, () => {
      const began = performance.now();
      try {
        parseStrictJson(bytes, { maxBytes: 1 << 26 });
      } catch {
        // Being refused must not take longer either.
      }
      return performance.now() - began;
    });
    return Math.min(...times);
  };
  for (const shape of shapes) {
    const [small, large] = [took(shape(20_000)), took(shape(200_000))];
    // Ten times the size; a hundred times the time would be quadratic. Small times are mostly noise.
    assert.ok(
      large < Math.max(small, 2) * 40,
      `${shape(3).slice(0, 20)}: ${small.toFixed(1)} then ${large.toFixed(1)} ms`,
    );
  }
});
