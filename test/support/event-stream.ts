/** Writes `application/vnd.amazon.eventstream`, with Node's own CRC-32. */
import { crc32 } from 'node:zlib';

const unsigned = (bytes: number, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};

/** One header whose value is a text. */
export const textHeader = (name: string, value: string): Buffer =>
  Buffer.concat([
    unsigned(1, name.length),
    Buffer.from(name),
    unsigned(1, 7),
    unsigned(2, value.length),
    Buffer.from(value),
  ]);

/** One message. `told` in place of what its lengths really are. */
export function frameOf(
  headers: Buffer,
  payload: string,
  told: { readonly length?: number; readonly headers?: number } = {},
): Buffer {
  const body = Buffer.from(payload);
  const lengths = Buffer.concat([
    unsigned(4, told.length ?? 16 + headers.length + body.length),
    unsigned(4, told.headers ?? headers.length),
  ]);
  const whole = Buffer.concat([lengths, unsigned(4, crc32(lengths)), headers, body]);
  return Buffer.concat([whole, unsigned(4, crc32(whole))]);
}

export const eventFrame = (type: string, payload: unknown): Buffer =>
  frameOf(
    Buffer.concat([textHeader(':event-type', type), textHeader(':message-type', 'event')]),
    JSON.stringify(payload),
  );

export const exceptionFrame = (type: string, message: string): Buffer =>
  frameOf(
    Buffer.concat([textHeader(':exception-type', type), textHeader(':message-type', 'exception')]),
    JSON.stringify({ message }),
  );
