/** AWS Signature Version 4 of one request (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). */
import { AwsV4Signer } from 'aws4fetch';
import type { Unsigned } from './provider.ts';

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

/** What a signature is good for. */
export interface Scope {
  readonly region: string;
  readonly service: string;
}

/** Signs with one key, in one scope; `now` is the time that the signature tells. */
export function signatureOf(key: AccessKey, scope: Scope) {
  const { sessionToken, ...rest } = key;
  const credential = sessionToken === undefined ? rest : { ...rest, sessionToken };
  // The key of a day is derived once; yesterday's is of no use.
  let cache = new Map<string, ArrayBuffer>();
  return async (request: Unsigned, now = new Date()): Promise<Readonly<Record<string, string>>> => {
    const { method, origin, path, headers, body } = request;
    if (cache.size > 1) cache = new Map();
    const signer = new AwsV4Signer({
      ...credential,
      ...scope,
      cache,
      method,
      url: origin + path,
      body,
      datetime: now.toISOString().replaceAll(/[:-]|\.\d+/g, ''),
      // "If the Content-Type header is present in the request, you must add it" to what is signed; others may change on the way.
      headers: headers['content-type'] === undefined ? {} : { 'content-type': headers['content-type'] },
      allHeaders: true,
    });
    const signed = await signer.sign();
    signed.headers.delete('content-type');
    return Object.fromEntries(signed.headers);
  };
}
