/** Ranges of IP addresses as configuration and settings write them, and whether an address lies in one. */
import { BlockList, isIP } from 'node:net';

export interface AddressRange {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. Undefined where it is none; a zone (`%eth0`) means nothing beyond a machine. */
export function addressRange(text: string): AddressRange | undefined {
  const [, address = '', length] = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const most = version === 4 ? 32 : 128;
  const prefix = length === undefined ? most : Number(length);
  return prefix <= most ? { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' } : undefined;
}

/** An IPv4 address that a socket for both shows as `::ffff:10.0.0.1` is that address. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

export class AddressRanges {
  readonly #ranges = new BlockList();

  /** What is no range is passed over: the schema and the settings have refused it. */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const range = addressRange(text);
      if (range) this.#ranges.addSubnet(range.address, range.prefix, range.family);
    }
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#ranges.check(plain, version === 4 ? 'ipv4' : 'ipv6');
  }
}
