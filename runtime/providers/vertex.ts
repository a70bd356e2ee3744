/** Gemini on Google Cloud's Vertex AI, and the embeddings there. */
import type { Json, JsonObject } from '../call.ts';
import { gemini } from '../dialects/gemini.ts';
import { vertexEmbeddings, vertexMethod } from '../dialects/vertex-embeddings.ts';
import type { OutputOf, Zod } from '../zod.ts';
import {
  baseUrl,
  checkEndpoint,
  endpointFields,
  isPrivateHost,
  lowerCaseNames,
  secretReference,
  staticHeaders,
  splitBaseUrl,
} from './options.ts';
import type { Address, Api, Connection, ProviderKind, ReadSecret, TaskApi } from './provider.ts';
import { tokenSource } from './token-source.ts';

/** What reads other people's documents is loaded where tokens are asked for. */
const load = () => import('./vertex-credentials.ts');

const name = (z: Zod) => z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes');

const ways = ['serviceAccount', 'metadataServer', 'credentials'] as const;

/** google.aip.dev/auth/4110: the order in which Google's libraries look, what a developer's own tool keeps aside. */
const defaultCredentials = (z: Zod) =>
  z.strictObject({
    /** The file that GOOGLE_APPLICATION_CREDENTIALS names, else the metadata server. */
    chain: z.literal('default'),
  });

const options = (z: Zod) =>
  z
    .strictObject({
      /** The project's id. */
      project: z.string().regex(/^([a-z0-9.-]+:)?[a-z0-9-]{1,63}$/, 'must be the id of a project'),
      /** `europe-west1`, `eu`, or `global`: where requests are answered. */
      location: name(z),
      /** Absent means that of the location. */
      baseUrl: baseUrl(z).optional(),
      /** The JSON key of a service account, as one line. */
      serviceAccount: secretReference(z).optional(),
      /** In place of a key: the account that this machine runs as on Google Cloud, from its metadata server. */
      metadataServer: z.literal(true).optional(),
      /** In place of both: what the environment says this is, a workload of another cloud or cluster included. */
      credentials: defaultCredentials(z).optional(),
      /** Where tokens are asked for, in place of Google's own address. */
      tokenUrl: baseUrl(z).optional(),
      headers: staticHeaders(z).optional(),
      allowInsecureHttp: endpointFields(z).allowInsecureHttp,
    })
    .superRefine((chosen, context) => {
      const url = urlOf(chosen);
      checkEndpoint(undefined)({ ...chosen, baseUrl: url }, context);
      const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
      const { tokenUrl } = chosen;
      const [first, second] = ways.filter((way) => chosen[way] !== undefined);
      const isKeyless = first === undefined;
      if (second !== undefined) issue(second, `stands beside ${first}; keep one of the two`);
      if (isKeyless && URL.canParse(url) && new URL(url).hostname.endsWith('.googleapis.com'))
        issue('serviceAccount', "Google refuses requests without a key; set serviceAccount: secret('NAME')");
      if (tokenUrl === undefined || !URL.canParse(tokenUrl)) return;
      const { protocol, hostname } = new URL(tokenUrl);
      if (isKeyless) issue('tokenUrl', `belongs to one of ${ways.join(', ')}; there is none`);
      if (protocol === 'http:' && !isPrivateHost(hostname))
        issue('tokenUrl', 'http:// sends tokens in the clear; use https://');
    });

/** Multi-regions, whose hosts are named otherwise than those of regions. */
const multiRegions: ReadonlySet<string> = new Set(['us', 'eu']);

/** docs.cloud.google.com/vertex-ai/generative-ai/docs/learn/locations; `@google/genai`, ApiClient */
function urlOf({
  location,
  baseUrl: own,
}: {
  readonly location: string;
  readonly baseUrl?: string | undefined;
}): string {
  if (own !== undefined) return own;
  if (multiRegions.has(location)) return `https://aiplatform.${location}.rep.googleapis.com`;
  return `https://${location === 'global' ? '' : `${location}-`}aiplatform.googleapis.com`;
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
const modelsAt = (path: string, { project, location }: OutputOf<typeof options>): string =>
  `${path}/v1/projects/${project}/locations/${location}/publishers/google/models`;

function generateContent(models: string): Api {
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

const embeddings = (models: string): TaskApi => ({
  task: vertexEmbeddings,
  path: (model) => `${models}/${encodeURIComponent(model)}:${vertexMethod(model)}`,
});

/** Undefined where nobody asks who calls. */
function asker({ serviceAccount, metadataServer, credentials, tokenUrl }: OutputOf<typeof options>, read: ReadSecret) {
  if (credentials) return async (signal: AbortSignal) => (await load()).defaultToken(tokenUrl, signal);
  if (metadataServer) return async (signal: AbortSignal) => (await load()).machineToken(tokenUrl, signal);
  if (!serviceAccount) return undefined;
  const key = { secret: read(serviceAccount), place: 'the secret of serviceAccount' };
  return async (signal: AbortSignal) => (await load()).accountToken(key, tokenUrl, signal);
}

export const vertex: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret): Connection {
    const { origin, path } = splitBaseUrl(urlOf(chosen));
    const models = modelsAt(path, chosen);
    const connection = {
      origin,
      apis: [generateContent(models)],
      tasks: [embeddings(models)],
      headers: lowerCaseNames(chosen.headers),
    } as const;
    const ask = asker(chosen, readSecret);
    if (!ask) return connection;
    const token = tokenSource(ask);
    return { ...connection, authorize: async (_, signal) => ({ authorization: `Bearer ${await token(signal)}` }) };
  },
};
