/** Access tokens of Google Cloud: for a service account's key, for the machine itself, and for what its environment says it is. */
import { sign } from 'node:crypto';
import { z } from 'zod';
import { cloudVariable } from './cloud-variables.ts';
import { credentialFile } from './credential-file.ts';
import { isPrivateHost } from './options.ts';
import { CredentialUnavailable } from './provider.ts';
import { askJson, askToken, isToken, type Token } from './token-source.ts';

/** developers.google.com/identity/protocols/oauth2/service-account, "HTTP/REST": the audience is always this. */
const tokenAddress = 'https://oauth2.googleapis.com/token';
const scope = 'https://www.googleapis.com/auth/cloud-platform';

const accountKey = z.object({
  client_email: z.string().min(3),
  private_key: z.string().includes('PRIVATE KEY'),
  private_key_id: z.string().optional(),
});

/** A statement of who asks, signed with the account's key. Neither the key nor why it is bad is told. */
function assertion(secret: string, place: string): string {
  try {
    const account = accountKey.parse(JSON.parse(secret));
    const seconds = Math.floor(Date.now() / 1000);
    const header = { alg: 'RS256', typ: 'JWT', kid: account.private_key_id };
    const claims = { iss: account.client_email, scope, aud: tokenAddress, iat: seconds, exp: seconds + 3600 };
    const said = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${said}.${sign('sha256', Buffer.from(said), account.private_key).toString('base64url')}`;
  } catch {
    throw new CredentialUnavailable(`${place} is no JSON key of a service account`);
  }
}

/** A service account's key, and where it stands. */
export interface AccountKey {
  readonly secret: string;
  readonly place: string;
}

export const accountToken = async ({ secret, place }: AccountKey, url = tokenAddress, signal: AbortSignal) => {
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(secret, place) };
  return askToken({ url, form }, signal);
};

/** docs.cloud.google.com/compute/docs/access/authenticate-workloads: the account of the machine. */
export async function machineToken(url: string | undefined, signal: AbortSignal): Promise<Token> {
  const host = cloudVariable('GCE_METADATA_HOST') ?? 'metadata.google.internal';
  const usual = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  return askToken({ url: url ?? usual, headers: { 'metadata-flavor': 'Google' } }, signal);
}

const variable = 'GOOGLE_APPLICATION_CREDENTIALS';
const named = `the file of ${variable}`;

export async function defaultToken(url: string | undefined, signal: AbortSignal): Promise<Token> {
  const file = cloudVariable(variable);
  if (file === undefined) return machineToken(url, signal);
  const secret = await credentialFile(file, named);
  const kind = z.object({ type: z.string() }).safeParse(parsed(secret)).data?.type;
  if (kind === 'service_account') return accountToken({ secret, place: named }, url, signal);
  if (kind === 'external_account') return federatedToken(parsed(secret), url, signal);
  throw new CredentialUnavailable(
    `${named} is neither a service account's key nor an external account: other types are not spoken`,
  );
}

const tokenEndpoint = z
  .url()
  .refine((url) => new URL(url).protocol === 'https:' || isPrivateHost(new URL(url).hostname), 'must be https://');

/** google.aip.dev/auth/4117, "Determining the subject token in Microsoft Azure and URL-sourced credentials", "… file-sourced …" */
const externalAccount = z.object({
  audience: z.string(),
  subject_token_type: z.string(),
  token_url: tokenEndpoint,
  service_account_impersonation_url: tokenEndpoint.optional(),
  credential_source: z.object({
    file: z.string().optional(),
    url: z.url().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    format: z.object({ type: z.enum(['text', 'json']), subject_token_field_name: z.string().optional() }).optional(),
  }),
});
type Source = z.output<typeof externalAccount>['credential_source'];

/** What another issuer says of the workload, exchanged for Google's token; and that for one of a service account, where one is named. */
async function federatedToken(content: unknown, url: string | undefined, signal: AbortSignal): Promise<Token> {
  const account = externalAccount.safeParse(content).data;
  if (!account) throw new CredentialUnavailable(`${named} is no external account with a file or URL as its source`);
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: account.audience,
    scope,
    subject_token: await subjectToken(account.credential_source, signal),
    subject_token_type: account.subject_token_type,
  };
  const token = await askToken({ url: url ?? account.token_url, form }, signal);
  const as = account.service_account_impersonation_url;
  return as === undefined ? token : impersonated(as, token, signal);
}

async function subjectToken({ file, url, headers = {}, format }: Source, signal: AbortSignal): Promise<string> {
  const place = `the token that ${named} points at`;
  if (file === undefined && url === undefined)
    throw new CredentialUnavailable(`${named} has a source that is neither a file nor a URL: others are not spoken`);
  const text = file === undefined ? await fetched(url ?? '', headers, signal) : await credentialFile(file, place);
  const field = format?.subject_token_field_name ?? '';
  const token =
    format?.type === 'json' ? z.record(z.string(), z.unknown()).safeParse(parsed(text)).data?.[field] : text;
  if (typeof token !== 'string' || token.trim() === '') throw new CredentialUnavailable(`${place} is not there`);
  return token.trim();
}

async function fetched(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { headers, redirect: 'error', signal });
  if (response.ok) return response.text();
  throw new CredentialUnavailable(
    `${new URL(url).host} refused the token that ${named} points at (${response.status})`,
  );
}

/** docs.cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken */
async function impersonated(url: string, { text }: Token, signal: AbortSignal): Promise<Token> {
  const headers = { authorization: `Bearer ${text}` };
  const answer = await askJson({ url, json: { scope: [scope] }, headers }, signal);
  const { accessToken, expireTime } = answer;
  const endsAt = Date.parse(String(expireTime));
  if (!isToken(accessToken) || !(endsAt > Date.now()))
    throw new CredentialUnavailable(`${new URL(url).host} answered without a token that can be used`);
  return { text: accessToken, endsAt };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
