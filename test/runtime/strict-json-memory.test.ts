/** Documents read one after another: what is known of the one before changes nothing about what comes of the next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../runtime/canonical-json.ts';
import { PackedBefore, packSnapshot } from '../../runtime/packed.ts';
import type { SnapshotInput } from '../../runtime/snapshot.ts';
import { parseStrictJson, type JsonLimits } from '../../runtime/strict-json.ts';
import { JsonMemory } from '../../runtime/strict-json-memory.ts';
import { checkSnapshot, type Checked } from '../../runtime/sync/check-snapshot.ts';
import { snapshotOf } from '../support/gateway.ts';
import { versioned } from '../support/versioned.ts';

const limits: JsonLimits = { maxBytes: 100_000, maxDepth: 5, maxValues: 40 };

/** The value, or the words of the refusal. */
function outcome(text: string, memory?: JsonMemory): unknown {
  try {
    return parseStrictJson(Buffer.from(text), limits, memory);
  } catch (error) {
    return String(error);
  }
}

const name = fc.constantFrom('a', 'b', 'long name', 'ä"');
const leaf = fc.oneof(fc.string({ maxLength: 4 }), fc.integer({ min: 0, max: 12 }), fc.constant(null));
const member = fc.oneof(leaf, fc.dictionary(name, fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })), { maxKeys: 3 }));
const collection = fc.oneof(leaf, fc.dictionary(name, member, { maxKeys: 4 }), fc.array(member, { maxLength: 2 }));
const written = fc
  .dictionary(name, collection, { maxKeys: 4 })
  .chain((document) =>
    fc
      .constantFrom(undefined, 1, '\t')
      .map((space) => `${space === 1 ? ' ' : ''}${JSON.stringify(document, null, space)}`),
  );
/** Slips of a writer, and of an attacker, within a document that is otherwise known. */
const spoilt = fc
  .tuple(written, fc.nat(200), fc.constantFrom('', ' ', ',', '}', '{', '"', '1', '"a":{},', '"__proto__":{},'))
  .map(([text, at, more]) => `${text.slice(0, at % text.length)}${more}${text.slice(at % text.length)}`);

test('a document reads as if none had been read before, with the same refusal where it is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(written, spoilt), { minLength: 6, maxLength: 6 }), (texts) => {
      const memory = new JsonMemory();
      // Each twice, so that all of it is known the second time; then what stood before it.
      for (const text of texts.flatMap((each, index) => [each, each, texts[index - 1] ?? each]))
        assert.deepEqual(outcome(text, memory), outcome(text));
    }),
    { numRuns: 300 },
  );
});

test('an object that reads as before is the same value, also where another stands before it now', () => {
  const memory = new JsonMemory();
  const read = (document: object) => outcome(canonicalJson(document), memory) as Record<string, Record<string, object>>;
  const [one, two] = [{ deep: [{}] }, { deep: 2 }];
  const first = read({ models: { one, two }, routes: { r: {} } });
  const second = read({
    above: { new: { of: 'all' } },
    models: { first: {}, one, two: { deep: 3 } },
    routes: { r: {} },
  });
  const third = read({ above: {}, models: { one, two }, routes: { r: {} } });
  assert.equal(second['models']?.['one'], first['models']?.['one']);
  assert.notEqual(second['models']?.['two'], first['models']?.['two']);
  assert.equal(second['routes'], first['routes']);
  assert.equal(third['routes'], first['routes']);
  assert.equal(third['models']?.['one'], first['models']?.['one']);
  assert.deepEqual(third, { above: {}, models: { one, two }, routes: { r: {} } });
});

test('what is known counts among the values that a document may have', () => {
  const memory = new JsonMemory();
  const full = { list: Array.from({ length: 29 }, () => 1) };
  outcome(JSON.stringify({ full }), memory);
  const text = JSON.stringify({ new: { ...full, list: full.list.slice(12) }, full });
  assert.match(String(outcome(text)), /more than 40 values/);
  assert.equal(outcome(text, memory), outcome(text));
});

test('snapshots are judged and packed as if each were the first', () => {
  const [memory, checked, packed]: [JsonMemory, Checked, PackedBefore] = [
    new JsonMemory(),
    new WeakMap(),
    new PackedBefore(),
  ];
  const upstreams = { u: { url: 'http://u.test' } };
  const withRoutes = (routes: object) => snapshotOf({ ...versioned(1), upstreams, routes } as SnapshotInput);
  const [near, far] = [
    { path: '/near', upstream: 'u' },
    { path: '/far/*', upstream: 'u' },
  ];
  const parcelOf = (document: unknown, known: boolean): unknown => {
    try {
      const bytes = Buffer.from(canonicalJson(document));
      const limit = { maxBytes: 1_000_000 };
      if (!known) return packSnapshot(checkSnapshot(parseStrictJson(bytes, limit)));
      const parcel = packSnapshot(checkSnapshot(parseStrictJson(bytes, limit, memory), checked), packed);
      // What is handed over is gone.
      const copy = structuredClone(parcel);
      for (const part of Object.values(parcel)) if (typeof part === 'object' && 'ends' in part) part.members.fill(0);
      return copy;
    } catch (error) {
      return String(error);
    }
  };
  for (const document of [
    withRoutes({ near, far }),
    withRoutes({ near, far }),
    withRoutes({ near: far, far: near }),
    withRoutes({ near, other: far }),
    withRoutes({ near: { ...near, path: 7 }, other: far }),
    withRoutes({ near: { ...near, path: 7 }, other: far }),
    withRoutes({ near, 'no name': far }),
    withRoutes({ near, 'no name': far }),
    { ...withRoutes({ near }), prompts: { near } },
    withRoutes({ near, far }),
  ])
    assert.deepEqual(parcelOf(document, true), parcelOf(document, false));
});
