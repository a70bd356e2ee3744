/**
 * The data types that SSH keys and signatures are written in (RFC 4251, section 5): `uint32`, `string` and `mpint`. Read
 * strictly: nothing beyond the end, nothing left over, one spelling for each number.
 */

/** What is not written as the format demands. The message says what is wrong, never what it holds. */
export class Malformed extends Error {}

export class SshReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(length: number, what: string): Buffer {
    if (length > this.#bytes.length - this.#at) throw new Malformed(`it ends inside the ${what}`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  uint32(what: string): number {
    return this.take(4, what).readUInt32BE();
  }

  string(what: string): Buffer {
    return this.take(this.uint32(what), what);
  }

  /** A `string` of visible ASCII, as names of algorithms and namespaces are. */
  name(what: string): string {
    const text = this.string(what).toString('latin1');
    if (!/^[\x21-\x7e]{1,128}$/.test(text)) throw new Malformed(`the ${what} is no name`);
    return text;
  }

  /** An `mpint` above zero, without the zero byte that keeps it positive. */
  positive(what: string): Buffer {
    const written = this.string(what);
    const bytes = written[0] === 0 ? written.subarray(1) : written;
    const padded = bytes !== written;
    const top = bytes[0];
    if (top === undefined || top === 0 || padded !== top >= 0x80)
      throw new Malformed(`the ${what} is not a positive number in its shortest form`);
    return bytes;
  }

  end(what: string): void {
    const left = this.#bytes.length - this.#at;
    if (left > 0) throw new Malformed(`${left} byte(s) follow the ${what}`);
  }
}

export function sshString(value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** An `mpint` from the bytes of a number above zero. */
export function sshPositive(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const short = bytes.subarray(Math.max(first, 0));
  return sshString((short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), short]) : short);
}
