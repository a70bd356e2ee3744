/** Finds what looks like a token in a request's headers. */
import type { IncomingHttpHeaders } from 'node:http';
import { keyFrom } from '../pipeline/credentials.ts';

const looksLikeToken = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/;

/** Headers have no more. */
const maxTokenChars = 16_384;

export function tokenIn(headers: IncomingHttpHeaders): string | undefined {
  const token = keyFrom(headers);
  return token !== undefined && token.length <= maxTokenChars && looksLikeToken.test(token) ? token : undefined;
}
