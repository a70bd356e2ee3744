/** What a snapshot comes to when it is written is told without writing it: the same bytes, and no text that the runtime refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { asWritten } from '../../config-sdk/compile/as-written.ts';
import { collections } from '../../config-sdk/compile/places.ts';
import { parseJsonBytes } from '../../runtime/artifact.ts';
import { canonicalJson } from '../../runtime/canonical-json.ts';
import { snapshotSchema } from '../../runtime/snapshot.ts';

const isRead = (value: object): boolean => {
  try {
    parseJsonBytes(Buffer.from(canonicalJson(value)), 'snapshot.json');
    return true;
  } catch {
    return false;
  }
};

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\0', '\ud800', 'a"b', 'é\\\n', '😀'),
);
const key = fc.oneof(fc.string(), text, fc.constantFrom('constructor', 'prototype', '__proto__', 'meta/llama-3:8b'));
const { value: anything } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium' },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value')),
    fc.dictionary(key, fc.oneof(tie('value'), fc.constant(undefined))),
  ),
}));

test('the bytes are those of the canonical text, and what is called acceptable is read', () => {
  fc.assert(
    fc.property(fc.dictionary(key, anything), (value) => {
      const { bytes, acceptable } = asWritten(value);
      assert.equal(bytes, Buffer.byteLength(canonicalJson(value)));
      if (acceptable) assert.ok(isRead(value));
    }),
  );
});

test('what is too deep or too much is left to the reader', () => {
  const deep = (levels: number): object => (levels === 0 ? {} : { in: deep(levels - 1) });
  assert.equal(asWritten(deep(60)).acceptable, false);
  assert.equal(asWritten({ list: Array.from({ length: 300_000 }, () => 0) }).acceptable, false);
  assert.equal(asWritten({ list: ['a', 1, null], apiKey: { $secret: 'OPENAI_API_KEY' } }).acceptable, true);
});

test('the schema of a snapshot asks nothing across its objects, which are asked about one by one', () => {
  assert.deepEqual(snapshotSchema.def.checks ?? [], []);
  for (const name of Object.values(collections)) assert.deepEqual(snapshotSchema.shape[name].def.checks ?? [], []);
});
