/** The pack guard against hand-made packs that no honest git would write. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { checkPack } from '../../runtime/sync/git-pack.ts';
import { SourceError } from '../../runtime/sync/source.ts';

const limits = { maxObjects: 10, maxInflatedBytes: 100_000, maxFileBytes: 50_000 };
const blob = 3;
const offsetDelta = 6;

interface PackEntry {
  readonly type: number;
  readonly content: Buffer;
  readonly statedSize?: number;
  /** Distance back to the base of a delta, below 128. */
  readonly back?: number;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function entry({ type, content, statedSize = content.length, back }: PackEntry): Buffer {
  const rest = Math.floor(statedSize / 16);
  const first = (type << 4) | (statedSize % 16) | (rest > 0 ? 0x80 : 0);
  const head = [first, ...(rest > 0 ? varint(rest) : []), ...(back === undefined ? [] : [back])];
  return Buffer.concat([Buffer.from(head), deflateSync(content)]);
}

function pack(entries: readonly Buffer[], count = entries.length, tail = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(12);
  header.write('PACK', 'latin1');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(count, 8);
  const body = Buffer.concat([header, ...entries, tail]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

function refuses(bytes: Buffer, code: string): void {
  assert.throws(
    () => checkPack(bytes, limits),
    (error) => error instanceof SourceError && error.code === code,
  );
}

const base = entry({ type: blob, content: Buffer.from('hello') });

test('an honest pack with a delta passes', () => {
  const delta = Buffer.from([...varint(5), ...varint(5), 0x90, 5]);
  checkPack(pack([base, entry({ type: offsetDelta, content: delta, back: base.length })]), limits);
});

test('fault 15: any flipped bit of a pack is found', () => {
  const good = pack([base]);
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad.writeUInt8(bad.readUInt8(at) ^ 4, at);
    assert.throws(() => checkPack(bad, limits), SourceError, `byte ${at}`);
  }
});

test('a pack cut anywhere is refused', () => {
  const good = pack([base]);
  for (let length = 0; length < good.length; length++) refuses(good.subarray(0, length), 'GIT_CORRUPT');
});

test('fault 17: an object that inflates beyond its stated size is stopped there', () => {
  refuses(pack([entry({ type: blob, content: Buffer.alloc(40_000), statedSize: 10 })]), 'GIT_CORRUPT');
});

test('fault 17: an object that inflates to less than its stated size is refused', () => {
  refuses(pack([entry({ type: blob, content: Buffer.from('hi'), statedSize: 10 })]), 'GIT_CORRUPT');
});

test('fault 17: the stated sizes together are capped before anything is inflated', () => {
  const large = entry({ type: blob, content: Buffer.from('x'), statedSize: 100_001 });
  refuses(pack([large]), 'GIT_PACK_LIMIT');
});

test('fault 17: sizes beyond 32 bits do not wrap into harmless ones', () => {
  refuses(pack([entry({ type: blob, content: Buffer.from('hello'), statedSize: 2 ** 32 + 5 })]), 'GIT_PACK_LIMIT');
});

test('fault 17: many small objects count together', () => {
  const part = entry({ type: blob, content: Buffer.alloc(30_000) });
  refuses(pack([part, part, part, part]), 'GIT_PACK_LIMIT');
});

test('fault 17: a delta of a few bytes that asks for gigabytes is refused by its stated result', () => {
  const delta = Buffer.from([...varint(5), ...varint(3_000_000_000), 0x90, 5]);
  refuses(pack([base, entry({ type: offsetDelta, content: delta, back: base.length })]), 'GIT_PACK_LIMIT');
});

test('a file over its own cap is named as an artifact limit', () => {
  refuses(pack([entry({ type: blob, content: Buffer.alloc(60_000) })]), 'ARTIFACT_LIMIT');
});

test('fault 18: the object count is refused before any object is read', () => {
  refuses(pack([], 4_000_000_000), 'GIT_PACK_LIMIT');
});

test('a delta whose base is itself or lies outside the objects before it is refused', () => {
  const delta = Buffer.from([...varint(5), ...varint(5), 0x90, 5]);
  for (const back of [0, 1, 127]) {
    refuses(pack([base, entry({ type: offsetDelta, content: delta, back })]), 'GIT_CORRUPT');
  }
});

test('objects of unknown type, missing objects and bytes of no object are refused', () => {
  refuses(pack([entry({ type: 5, content: Buffer.from('hello') })]), 'GIT_CORRUPT');
  refuses(pack([base], 2), 'GIT_CORRUPT');
  refuses(pack([base], 1, Buffer.from('more')), 'GIT_CORRUPT');
});
