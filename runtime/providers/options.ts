/** What the options of providers that are reached over HTTP have in common: secrets, base URLs, extra headers. */
import { BlockList, isIP } from 'node:net';
import type { z } from 'zod';
import type { VendorDialect } from '../dialects/dialect.ts';
import { openaiResponses } from '../dialects/openai-responses.ts';
import type { Zod } from '../zod.ts';
import type { Api, SecretReference } from './provider.ts';

export const secretReference = (zod: Zod): z.ZodType<SecretReference, SecretReference> =>
  zod.strictObject({
    $secret: zod.string().regex(/^[A-Za-z_][\w.-]{0,127}$/, 'must be the name of a secret, such as OPENAI_API_KEY'),
    optional: zod.boolean().optional(),
  });

export const baseUrl = (zod: Zod) =>
  zod.string().superRefine((text, context) => {
    const problem = baseUrlProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

/** Headers that HTTP or the gateway itself sets; a second value would be ambiguous or break the framing. */
const ownHeaders =
  /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|accept|accept-encoding)$/;
/** A credential belongs in a secret: config is in git for everyone to read. */
const secretHeaders = /authorization|api-?key|token|secret|cookie|passw|credential/;

export const staticHeaders = (zod: Zod) =>
  zod.record(zod.string(), zod.string()).superRefine((headers, context) => {
    for (const [name, value] of Object.entries(headers)) {
      const problem = headerProblem(name, value);
      if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
    }
  });

/** Members of every such kind's options; the kind adds `baseUrl` with its own default. */
export const endpointFields = (zod: Zod) => ({
  apiKey: secretReference(zod).optional(),
  /** In place of `apiKey`: several keys, used in turn. One that the vendor refuses or limits rests while others serve. */
  apiKeys: zod.array(secretReference(zod)).min(1).max(32).optional(),
  /** Sent with every request. Not for credentials. */
  headers: staticHeaders(zod).optional(),
  /** Allows plain http:// to a host that is not loopback or private: keys and prompts then travel in the clear. */
  allowInsecureHttp: zod.boolean().optional(),
});

interface Endpoint {
  readonly baseUrl: string;
  readonly apiKey?: SecretReference | undefined;
  readonly apiKeys?: readonly SecretReference[] | undefined;
  readonly allowInsecureHttp?: boolean | undefined;
}

/** Rules across members. `vendorHost` is the host, or the end of all hosts, that never answers without a key. */
export function checkEndpoint(vendorHost: string | undefined) {
  return (endpoint: Endpoint, context: z.core.$RefinementCtx): void => {
    if (baseUrlProblem(endpoint.baseUrl) !== undefined) return;
    const url = new URL(endpoint.baseUrl);
    if (url.protocol === 'http:' && endpoint.allowInsecureHttp !== true && !isPrivateHost(url.hostname)) {
      context.addIssue({
        code: 'custom',
        path: ['baseUrl'],
        message: 'http:// sends the key and every prompt in the clear; use https://, or set allowInsecureHttp: true',
      });
    }
    const twice = endpoint.apiKeys?.findIndex(
      ({ $secret }, at, all) => all.findIndex((each) => each.$secret === $secret) < at,
    );
    if (endpoint.apiKey !== undefined && endpoint.apiKeys !== undefined)
      context.addIssue({ code: 'custom', path: ['apiKeys'], message: 'stands beside apiKey; keep one of the two' });
    else if (twice !== undefined && twice >= 0)
      context.addIssue({ code: 'custom', path: ['apiKeys', twice], message: 'stands there twice; name each key once' });
    if (isAt(url.hostname, vendorHost) && endpoint.apiKey === undefined && endpoint.apiKeys === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['apiKey'],
        message: `${url.hostname} refuses requests without a key; set apiKey: secret('NAME')`,
      });
    }
  };
}

/** The options once for each key: with it as the only one. */
export function eachKey(options: unknown): readonly unknown[] {
  const { apiKeys, ...rest } = options as { readonly apiKeys?: readonly SecretReference[] };
  return apiKeys === undefined ? [options] : apiKeys.map((apiKey) => ({ ...rest, apiKey }));
}

const isAt = (host: string, vendorHost: string | undefined): boolean =>
  vendorHost !== undefined && (vendorHost.startsWith('.') ? host.endsWith(vendorHost) : host === vendorHost);

/** The base URL in the parts a connection needs; `path` has no slash at its end. */
export function splitBaseUrl(text: string): { readonly origin: string; readonly path: string } {
  const url = new URL(text);
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, '') };
}

/** An API at one path, whatever is asked. */
export const apiAt = (path: string, dialect: VendorDialect, passes: readonly string[] = []): Api => ({
  dialect,
  address: (body) => ({ path, body }),
  passes,
});

/** The Responses API beside chat completions: the only one for some models, and there for all. */
export const responsesAt = (path: string): Api => ({
  ...apiAt(path, openaiResponses),
  countAddress: (body) => ({ path: `${path}/input_tokens`, body }),
  takes: ['chat', 'responses'],
});

export function lowerCaseNames(headers: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
}

function baseUrlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL such as https://api.example.com/v1';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// or http://';
  if (url.username !== '' || url.password !== '') return 'must not contain a user or password; use apiKey';
  if (/[?#]/.test(text)) return 'must not have a query or fragment';
  return undefined;
}

function headerProblem(name: string, value: string): string | undefined {
  if (!/^[!#$%&'*+.^_`|~\w-]{1,128}$/.test(name)) return 'is not a header name';
  const lower = name.toLowerCase();
  if (secretHeaders.test(lower))
    return "looks like a credential, and config is no place for one; use apiKey: secret('NAME')";
  if (ownHeaders.test(lower)) return 'is set by the gateway itself; leave it out';
  return /^[\t\x20-\x7e]*$/.test(value) ? undefined : 'has a value with characters that a header cannot carry';
}

const privateAddresses = new BlockList();
privateAddresses.addSubnet('127.0.0.0', 8);
privateAddresses.addSubnet('10.0.0.0', 8);
privateAddresses.addSubnet('172.16.0.0', 12);
privateAddresses.addSubnet('192.168.0.0', 16);
privateAddresses.addAddress('::1', 'ipv6');
privateAddresses.addSubnet('fc00::', 7, 'ipv6');

/** Names without a dot, of local networks (RFC 6761, 6762, 8375; ICANN `.internal`) and of clusters. */
export function isPrivateHost(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '');
  const family = isIP(address);
  if (family !== 0) return privateAddresses.check(address, family === 4 ? 'ipv4' : 'ipv6');
  return !host.includes('.') || /\.(localhost|local|internal|home\.arpa|svc)$/.test(host);
}
