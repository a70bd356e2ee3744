/** Which address a request comes from: that of the connection, or what trusted proxies before us say of it. */
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { plainAddress, type AddressRanges } from './address-ranges.ts';

/** `"[2001:db8::1]:4711"` and `10.0.0.1:4711` without what is not the address. */
function bareAddress(text: string): string {
  const unquoted = text.trim().replace(/^"(.*)"$/, '$1');
  const inBrackets = /^\[([^\]]+)\](?::\d+)?$/.exec(unquoted)?.[1];
  return plainAddress(inBrackets ?? unquoted.replace(/^([\d.]+):\d+$/, '$1'));
}

/** The address in each element of a `Forwarded` header (RFC 7239); an element without one hides it. */
const forwardedFor = (value: string): string[] =>
  value.split(',').map((element) => /(?:^|;)\s*for=("[^"]*"|[^;,\s]+)/i.exec(element)?.[1] ?? 'unknown');

/** From the client on, the nearest proxy last. One header is enough: with both, nobody knows which of them our proxy wrote. */
function said(headers: IncomingHttpHeaders): readonly string[] {
  const { forwarded } = headers;
  const given = headers['x-forwarded-for'];
  const listed = Array.isArray(given) ? given.join(',') : given;
  if (forwarded !== undefined && listed !== undefined) return ['unknown'];
  return forwarded === undefined ? (listed?.split(',') ?? []) : forwardedFor(forwarded);
}

/**
 * Read from the nearest on: each hop is believed as long as the one that names it is trusted. What is no address there ends the
 * way with `undefined`, which is in no range: nothing beyond it is known.
 */
export function clientAddress(
  connected: string | undefined,
  headers: IncomingHttpHeaders,
  trusted: AddressRanges,
): string | undefined {
  let address = connected === undefined ? undefined : plainAddress(connected);
  const hops = [...said(headers)];
  while (address !== undefined && hops.length > 0 && trusted.has(address)) {
    const next = bareAddress(hops.pop() ?? '');
    address = isIP(next) === 0 ? undefined : next;
  }
  return address;
}
