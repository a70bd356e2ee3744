/** Which headers pass between a client and an upstream: those about the request and its answer, none about a connection, none that only we may say. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

/** Never forwarded: they speak of one connection, of who we are to the client, of another path, or are ours to say. */
const notForwarded = new Set([
  'authorization',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'forwarded',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
]);
const notReturned = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'trailer',
  'upgrade',
]);

const ours = /^(headgate-|ratelimit|x-ratelimit-(limit|remaining|reset)-(requests|tokens)$)/;

/** `own` are sent in place of the client's. */
export function requestHeaders(
  original: IncomingHttpHeaders,
  own: Readonly<Record<string, string>>,
): IncomingHttpHeaders {
  const kept = Object.entries(original).filter(([name]) => {
    // Many upstreams cannot tell `a_b` from `a-b`.
    const read = name.replaceAll('_', '-');
    return !notForwarded.has(read) && !ours.test(read) && !read.startsWith('x-forwarded-') && !Object.hasOwn(own, read);
  });
  return { ...Object.fromEntries(kept), ...own };
}

/** What `response` already says stays as we said it. */
export function responseHeaders(original: IncomingHttpHeaders, response: ServerResponse): IncomingHttpHeaders {
  const named = new Set(
    String(original.connection ?? '')
      .toLowerCase()
      .split(/[\s,]+/),
  );
  return Object.fromEntries(
    Object.entries(original).filter(
      ([name]) => !notReturned.has(name) && !named.has(name) && !ours.test(name) && !response.hasHeader(name),
    ),
  );
}
