/** Reads git's pkt-line framing strictly: an answer that stops early or says ERR never passes for a short one. */
import { SourceError } from './source.ts';

export type Packet = { readonly kind: 'data'; readonly bytes: Buffer } | { readonly kind: 'flush' | 'delimiter' };

const lengthDigits = 4;
const largestPayload = 65_515;
const errorPrefix = 'ERR ';

/** Walks lazily: a hostile answer can hold millions of tiny packets, which must not all become objects at once. */
export function* readPackets(body: Buffer): Generator<Packet> {
  let at = 0;
  let last: Packet | undefined;
  while (at < body.length) {
    const packet = packetAt(body, at);
    if (packet.kind === 'data') {
      at += lengthDigits + packet.bytes.length;
      if (packet.bytes.toString('latin1', 0, errorPrefix.length) === errorPrefix) {
        throw remoteError(packet.bytes.subarray(errorPrefix.length));
      }
    } else {
      at += lengthDigits;
    }
    last = packet;
    yield packet;
  }
  // Every answer we ask for ends with a flush; the length of the body proves nothing when a proxy cut it cleanly.
  if (last?.kind !== 'flush') throw truncated();
}

function packetAt(body: Buffer, at: number): Packet {
  if (at + lengthDigits > body.length) throw truncated();
  const digits = body.toString('latin1', at, at + lengthDigits);
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
    throw new SourceError('GIT_CORRUPT', 'The remote sent a broken packet length; the answer was damaged on the way.');
  }
  const length = Number.parseInt(digits, 16);
  if (length === 0) return { kind: 'flush' };
  if (length === 1 || length === 2) return { kind: 'delimiter' };
  if (length < lengthDigits) {
    throw new SourceError('GIT_CORRUPT', 'The remote sent an impossible packet length; the answer was damaged.');
  }
  if (at + length > body.length) throw truncated();
  return { kind: 'data', bytes: body.subarray(at + lengthDigits, at + length) };
}

export function dataPacket(payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  const length = (bytes.length + lengthDigits).toString(16).padStart(lengthDigits, '0');
  return Buffer.concat([Buffer.from(length, 'latin1'), bytes]);
}

export const flushPacket: Buffer = Buffer.from('0000', 'latin1');

export function textOf(bytes: Buffer): string {
  return bytes.toString('utf8').replace(/\n$/, '');
}

/** What the remote said about its own failure, made safe for one log line. */
export function remoteError(text: Buffer): SourceError {
  const said = text
    .toString('utf8', 0, 300)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  if (/not our ref/i.test(said)) {
    return new SourceError('GIT_MOVED', `The ref moved while it was being fetched (remote: ${said}); list it again.`);
  }
  return new SourceError('GIT_REMOTE_ERROR', `The remote refused: ${said || 'no reason given'}.`);
}

export function truncated(): SourceError {
  return new SourceError('GIT_TRUNCATED', 'The answer of the remote stopped before its end; it is ignored.');
}

/** The two streams of an upload-pack answer: the negotiation lines and the pack itself. */
export interface PackAnswer {
  readonly lines: readonly string[];
  readonly pack: Buffer;
}

const packBand = 1;
const progressBand = 2;
const errorBand = 3;
const maxLines = 1_000;

export function readPackAnswer(body: Buffer): PackAnswer {
  const lines: string[] = [];
  const pack = Buffer.allocUnsafe(body.length);
  let length = 0;
  for (const packet of readPackets(body)) {
    if (packet.kind !== 'data' || packet.bytes.length === 0) continue;
    const band = packet.bytes[0];
    if (band === packBand) length += packet.bytes.copy(pack, length, 1);
    else if (band === errorBand) throw remoteError(packet.bytes.subarray(1));
    else if (band !== progressBand) lines.push(textOf(packet.bytes));
    if (lines.length > maxLines) {
      throw new SourceError('GIT_CORRUPT', 'The remote sent something other than a pack; check the URL.');
    }
  }
  // The lines before the pack end with a flush of their own, so a cut there still looks whole.
  if (length === 0) throw truncated();
  return { lines, pack: pack.subarray(0, length) };
}

/** Says the same again in the plainest form, so that only what we checked reaches the git library. */
export function writePackAnswer({ lines, pack }: PackAnswer): Buffer {
  const parts = lines.map((line) => dataPacket(`${line}\n`));
  for (let at = 0; at < pack.length; at += largestPayload) {
    const chunk = pack.subarray(at, at + largestPayload);
    parts.push(dataPacket(Buffer.concat([Buffer.of(packBand), chunk])));
  }
  return Buffer.concat([...parts, flushPacket]);
}
