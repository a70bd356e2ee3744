/** Gemini on Google Cloud's Vertex AI, with service accounts. */
import { sign } from 'node:crypto';
import { z } from 'zod';
import type { Json, JsonObject } from '../call.ts';
import { gemini } from '../dialects/gemini.ts';
import {
  baseUrl,
  checkEndpoint,
  endpointFields,
  isPrivateHost,
  lowerCaseNames,
  secretReference,
  splitBaseUrl,
} from './options.ts';
import { CredentialUnavailable, type Address, type Api, type Connection, type ProviderKind } from './provider.ts';
import { askToken, tokenSource, type Token } from './token-source.ts';

const { headers: staticHeaders, allowInsecureHttp } = endpointFields;
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes');

const options = z
  .strictObject({
    /** The project's id. */
    project: z.string().regex(/^([a-z0-9.-]+:)?[a-z0-9-]{1,63}$/, 'must be the id of a project'),
    /** `europe-west1`, or `global`: where requests are answered. */
    location: name,
    /** Absent means that of the location. */
    baseUrl: baseUrl.optional(),
    /** The JSON key of a service account, as one line. */
    serviceAccount: secretReference.optional(),
    /** In place of a key: the account that this machine runs as on Google Cloud, from its metadata server. */
    metadataServer: z.literal(true).optional(),
    /** Where tokens are asked for, in place of Google's own address. */
    tokenUrl: baseUrl.optional(),
    headers: staticHeaders,
    allowInsecureHttp,
  })
  .superRefine((chosen, context) => {
    const url = urlOf(chosen);
    checkEndpoint(undefined)({ ...chosen, baseUrl: url }, context);
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const { serviceAccount, metadataServer, tokenUrl } = chosen;
    const isKeyless = serviceAccount === undefined && metadataServer === undefined;
    if (serviceAccount !== undefined && metadataServer !== undefined)
      issue('metadataServer', 'stands beside serviceAccount; keep one of the two');
    if (isKeyless && URL.canParse(url) && new URL(url).hostname.endsWith('.googleapis.com'))
      issue('serviceAccount', "Google refuses requests without a key; set serviceAccount: secret('NAME')");
    if (tokenUrl === undefined || !URL.canParse(tokenUrl)) return;
    const { protocol, hostname } = new URL(tokenUrl);
    if (isKeyless) issue('tokenUrl', 'belongs to serviceAccount or metadataServer; there is neither');
    if (protocol === 'http:' && !isPrivateHost(hostname))
      issue('tokenUrl', 'http:// sends tokens in the clear; use https://');
  });

/** docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations; `@google/genai`, ApiClient */
function urlOf({
  location,
  baseUrl: own,
}: {
  readonly location: string;
  readonly baseUrl?: string | undefined;
}): string {
  return own ?? `https://${location === 'global' ? '' : `${location}-`}aiplatform.googleapis.com`;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** Each of the names that a part can have, as JSON of protocol buffers may spell them. */
const called = ['functionCall', 'function_call', 'functionResponse', 'function_response'];

/** Google AI gives calls an id, and Vertex refuses one: there calls and responses meet by name and order (vercel/ai#15664). */
function withoutIds(part: Json): Json {
  if (!isObject(part)) return part;
  const entries = Object.entries(part).map(([key, value]) => {
    if (!called.includes(key) || !isObject(value)) return [key, value];
    const { id: _, ...rest } = value;
    return [key, rest];
  });
  return Object.fromEntries(entries) as JsonObject;
}

function worded(body: JsonObject): JsonObject {
  if (!isList(body.contents)) return body;
  const contents = body.contents.map((content) =>
    isObject(content) && isList(content.parts) ? { ...content, parts: content.parts.map(withoutIds) } : content,
  );
  return { ...body, contents };
}

/** What countTokens takes beside contents; Google AI has all of a call in one field instead (`@google/genai`, countTokens). */
const counted = [
  'contents',
  'systemInstruction',
  'system_instruction',
  'tools',
  'generationConfig',
  'generation_config',
];

function countedIn(body: JsonObject): JsonObject {
  const whole = body.generateContentRequest ?? body.generate_content_request;
  const entries = Object.entries(isObject(whole) ? whole : body);
  return Object.fromEntries(entries.filter(([key]) => counted.includes(key)));
}

/** cloud.google.com/vertex-ai/generative-ai/docs/reference/rest-rpc, projects.locations.publishers.models */
function generateContent(path: string, { project, location }: z.output<typeof options>): Api {
  const models = `${path}/v1/projects/${project}/locations/${location}/publishers/google/models`;
  const at = (body: JsonObject, method: string): Address => {
    const { model, stream: _, ...sent } = body;
    return {
      path: `${models}/${encodeURIComponent(typeof model === 'string' ? model : '')}:${method}`,
      body: worded(sent),
    };
  };
  return {
    dialect: gemini,
    address: (body) => at(body, body.stream === true ? 'streamGenerateContent?alt=sse' : 'generateContent'),
    countAddress: (body) => at({ ...countedIn(body), model: body.model }, 'countTokens'),
  };
}

/** developers.google.com/identity/protocols/oauth2/service-account, "HTTP/REST": the audience is always this. */
const tokenAddress = 'https://oauth2.googleapis.com/token';
const scope = 'https://www.googleapis.com/auth/cloud-platform';
/** docs.cloud.google.com/compute/docs/access/authenticate-workloads: the account of the machine. */
const metadataAddress = 'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token';

const accountKey = z.object({
  client_email: z.string().min(3),
  private_key: z.string().includes('PRIVATE KEY'),
  private_key_id: z.string().optional(),
});

/** A statement of who asks, signed with the account's key. Neither the key nor why it is bad is told. */
function assertion(secret: string): string {
  try {
    const account = accountKey.parse(JSON.parse(secret));
    const seconds = Math.floor(Date.now() / 1000);
    const header = { alg: 'RS256', typ: 'JWT', kid: account.private_key_id };
    const claims = { iss: account.client_email, scope, aud: tokenAddress, iat: seconds, exp: seconds + 3600 };
    const said = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${said}.${sign('sha256', Buffer.from(said), account.private_key).toString('base64url')}`;
  } catch {
    throw new CredentialUnavailable('the secret of serviceAccount is no JSON key of a service account');
  }
}

export const vertex: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret): Connection {
    const { origin, path } = splitBaseUrl(urlOf(chosen));
    const connection = {
      origin,
      apis: [generateContent(path, chosen)],
      headers: lowerCaseNames(chosen.headers),
    } as const;
    const { serviceAccount, metadataServer, tokenUrl } = chosen;
    if (serviceAccount === undefined && metadataServer === undefined) return connection;
    const secret = serviceAccount && readSecret(serviceAccount);
    const ask = async (signal: AbortSignal): Promise<Token> => {
      const headers = { 'metadata-flavor': 'Google' };
      if (secret === undefined) return askToken({ url: tokenUrl ?? metadataAddress, headers }, signal);
      const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(secret) };
      return askToken({ url: tokenUrl ?? tokenAddress, form }, signal);
    };
    const token = tokenSource(ask);
    return { ...connection, authorize: async (_, signal) => ({ authorization: `Bearer ${await token(signal)}` }) };
  },
};
