/** Walks a pack before the git library sees it: bounds what it would inflate to, and proves it arrived whole. */
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { SourceError } from './source.ts';

export interface PackLimits {
  readonly maxObjects: number;
  readonly maxInflatedBytes: number;
  readonly maxFileBytes: number;
}

const headerBytes = 12;
const checksumBytes = 20;
const objectIdBytes = 20;
const offsetDelta = 6;
const referenceDelta = 7;
const knownTypes = new Set([1, 2, 3, 4, offsetDelta, referenceDelta]);
const largestChunk = 1 << 20;

/** Throws when the pack is damaged or would cost more than `limits`; says nothing when it is fit to be read. */
export function checkPack(pack: Buffer, limits: PackLimits): void {
  const count = readHeader(pack, limits);
  const end = pack.length - checksumBytes;
  const checksum = createHash('sha1').update(pack.subarray(0, end)).digest();
  if (!checksum.equals(pack.subarray(end))) throw corrupt('its checksum does not match');

  const starts = new Set<number>();
  let inflated = 0;
  let at = headerBytes;
  for (let index = 0; index < count; index++) {
    const entry = readEntry(pack, at, end);
    if (entry.baseStart !== undefined && !starts.has(entry.baseStart)) {
      throw corrupt('a delta names a base that does not come before it');
    }
    starts.add(at);
    inflated = checkSize(inflated, entry.size, limits);
    const object = inflateExactly(pack.subarray(entry.dataStart, end), entry.size);
    if (entry.isDelta) inflated = checkSize(inflated, deltaResultSize(object.bytes), limits);
    at = entry.dataStart + object.consumed;
  }
  if (at !== end) throw corrupt('it holds bytes that belong to no object');
}

function readHeader(pack: Buffer, limits: PackLimits): number {
  if (pack.length < headerBytes + checksumBytes || pack.toString('latin1', 0, 4) !== 'PACK') {
    throw corrupt('it has no pack header');
  }
  if (pack.readUInt32BE(4) !== 2) throw corrupt('its version is not 2');
  const count = pack.readUInt32BE(8);
  if (count > limits.maxObjects) {
    throw new SourceError(
      'GIT_PACK_LIMIT',
      `The commit brings ${count} git objects, more than ${limits.maxObjects}; follow a branch that holds only the compiled artifact.`,
    );
  }
  return count;
}

/** Sizes are judged from the headers, before a single byte is inflated. */
function checkSize(inflated: number, size: number, limits: PackLimits): number {
  const total = inflated + size;
  if (total > limits.maxInflatedBytes) {
    throw new SourceError(
      'GIT_PACK_LIMIT',
      `The pack would inflate to more than ${limits.maxInflatedBytes} bytes; publish a smaller artifact.`,
    );
  }
  if (size > limits.maxFileBytes) {
    throw new SourceError(
      'ARTIFACT_LIMIT',
      `A file of the artifact holds ${size} bytes, more than ${limits.maxFileBytes}; split it or publish less.`,
    );
  }
  return total;
}

interface Entry {
  readonly size: number;
  readonly dataStart: number;
  readonly isDelta: boolean;
  readonly baseStart: number | undefined;
}

function readEntry(pack: Buffer, start: number, end: number): Entry {
  let at = start;
  const next = (): number => {
    if (at >= end) throw corrupt('an object stops at the end of the pack');
    return pack.readUInt8(at++);
  };
  let byte = next();
  const type = (byte >> 4) & 7;
  if (!knownTypes.has(type)) throw corrupt(`it holds an object of unknown type ${type}`);
  let size = byte & 15;
  // Multiplication, not shifts: 32-bit shifts would wrap a huge size into a harmless one.
  for (let factor = 16; byte & 0x80; factor *= 128) {
    if (factor > Number.MAX_SAFE_INTEGER / 128) throw corrupt('an object states an absurd size');
    byte = next();
    size += (byte & 0x7f) * factor;
  }
  let baseStart: number | undefined;
  if (type === offsetDelta) baseStart = start - readOffset(next);
  if (type === referenceDelta) at += objectIdBytes;
  if (at >= end) throw corrupt('an object stops at the end of the pack');
  return { size, dataStart: at, isDelta: type === offsetDelta || type === referenceDelta, baseStart };
}

function readOffset(next: () => number): number {
  let byte = next();
  let offset = byte & 0x7f;
  while (byte & 0x80) {
    byte = next();
    offset = (offset + 1) * 128 + (byte & 0x7f);
    if (offset > Number.MAX_SAFE_INTEGER / 256) throw corrupt('a delta states an absurd offset');
  }
  return offset;
}

function inflateExactly(input: Buffer, size: number): { bytes: Buffer; consumed: number } {
  const chunkSize = Math.max(64, Math.min(size + 1, largestChunk));
  let result: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    // One byte of room beyond the stated size is enough to catch a liar. `info` is missing from the types.
    const options = { maxOutputLength: size + 1, chunkSize, info: true };
    result = inflateSync(input, options) as unknown as typeof result;
  } catch (cause) {
    throw corrupt('an object does not inflate to its stated size', cause);
  }
  if (result.buffer.length !== size) throw corrupt('an object does not inflate to its stated size');
  return { bytes: result.buffer, consumed: result.engine.bytesWritten };
}

/** A delta of a few bytes can ask for gigabytes; its second number says how much. */
function deltaResultSize(delta: Buffer): number {
  let at = 0;
  const readSize = (): number => {
    let size = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = delta[at++];
      if (byte === undefined || factor > Number.MAX_SAFE_INTEGER / 128) throw corrupt('a delta has no sizes');
      size += (byte & 0x7f) * factor;
      if (!(byte & 0x80)) return size;
    }
  };
  readSize();
  return readSize();
}

function corrupt(detail: string, cause?: unknown): SourceError {
  return new SourceError('GIT_CORRUPT', `The pack is damaged: ${detail}; it is ignored and asked for again.`, {
    cause,
  });
}
