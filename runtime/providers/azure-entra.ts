/** Tokens of Entra ID: for an application that shows a secret, a certificate or another issuer's token, and for a machine of Azure's. */
import { constants, createHash, createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import type { OutputOf, Zod } from '../zod.ts';
import { cloudVariable } from './cloud-variables.ts';
import { credentialFile } from './credential-file.ts';
import { baseUrl, isPrivateHost, secretReference } from './options.ts';
import { CredentialUnavailable, type ReadSecret } from './provider.ts';
import { askToken, tokenSource, type TokenRequest } from './token-source.ts';

const ways = ['clientSecret', 'certificate', 'workloadIdentity', 'managedIdentity'] as const;

export const entraOptions = (z: Zod) =>
  z
    .strictObject({
      /** The directory's id, or a domain of it. */
      tenant: z
        .string()
        .regex(/^[\w.-]{1,128}$/, 'must be the id or a domain of a directory')
        .optional(),
      /** Of the application; of a managed identity only where the machine has several. */
      clientId: z
        .string()
        .regex(/^[\w-]{1,64}$/, 'must be the id of an application')
        .optional(),
      clientSecret: secretReference(z).optional(),
      /** In place of a secret: the application's certificate and its key, a PEM file in base64 (`base64 -w0 app.pem`). */
      certificate: secretReference(z).optional(),
      /** In place of a secret: the token that the cluster puts into the file of AZURE_FEDERATED_TOKEN_FILE. */
      workloadIdentity: z.literal(true).optional(),
      /** In place of an application: the identity that Azure gives the machine, app or container this runs on. */
      managedIdentity: z.literal(true).optional(),
      /** Absent means that of Azure OpenAI. */
      scope: z
        .string()
        .regex(
          /^(https|api):\/\/[\w./-]{1,200}$/,
          'must be a scope such as https://cognitiveservices.azure.com/.default',
        )
        .default('https://cognitiveservices.azure.com/.default'),
      /** Where tokens are asked for, in place of login.microsoftonline.com: another cloud of Azure's. */
      tokenUrl: baseUrl(z)
        .refine(
          (url) => !URL.canParse(url) || new URL(url).protocol === 'https:' || isPrivateHost(new URL(url).hostname),
          'http:// sends the secret in the clear; use https://',
        )
        .optional(),
    })
    .superRefine((chosen, context) => {
      const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
      const [first = 'clientSecret', second] = ways.filter((way) => chosen[way] !== undefined);
      if (chosen[first] === undefined) issue(first, `is missing; say one of ${ways.join(', ')}`);
      if (second !== undefined) issue(second, `stands beside ${first}; keep one of the two`);
      if (first === 'managedIdentity') {
        for (const name of ['tenant', 'tokenUrl'] as const)
          if (chosen[name] !== undefined) issue(name, 'is nothing to a managed identity; leave it out');
        return;
      }
      for (const name of ['tenant', 'clientId'] as const) if (chosen[name] === undefined) issue(name, 'is missing');
    });
type Entra = OutputOf<typeof entraOptions>;

export function entraToken(chosen: Entra, readSecret: ReadSecret): (signal: AbortSignal) => Promise<string> {
  const { tenant = '', clientId = '', clientSecret, certificate, managedIdentity, scope } = chosen;
  if (managedIdentity) return tokenSource(async (signal) => askToken(machineRequest(scope, chosen.clientId), signal));
  // learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, first, second and third case
  const usual = `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;
  const url = chosen.tokenUrl ?? usual;
  const common = { grant_type: 'client_credentials', client_id: clientId, scope };
  if (clientSecret) {
    const form = { ...common, client_secret: readSecret(clientSecret) };
    return tokenSource(async (signal) => askToken({ url, form }, signal));
  }
  const secret = certificate && readSecret(certificate);
  return tokenSource(async (signal) => {
    const shown = secret === undefined ? await clusterToken() : assertion(secret, { clientId, audience: url });
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    return askToken({ url, form: { ...common, client_assertion_type, client_assertion: shown } }, signal);
  });
}

/** What a certificate's owner says, and to whom. */
interface Statement {
  readonly clientId: string;
  readonly audience: string;
}

/** learn.microsoft.com/entra/identity-platform/certificate-credentials, "Assertion format". Neither the key nor why it is bad is told. */
function assertion(secret: string, { clientId, audience }: Statement): string {
  try {
    const pem = Buffer.from(secret, 'base64').toString('utf8');
    const thumbprint = createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url');
    const seconds = Math.floor(Date.now() / 1000);
    const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint };
    const who = { iss: clientId, sub: clientId, aud: audience, jti: randomUUID() };
    const claims = { ...who, nbf: seconds, iat: seconds, exp: seconds + 600 };
    const said = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
    const signature = sign('sha256', Buffer.from(said), { key: createPrivateKey(pem), padding, saltLength });
    return `${said}.${signature.toString('base64url')}`;
  } catch {
    throw new CredentialUnavailable(
      'the secret of entra.certificate is no PEM file with a certificate and its RSA key, in base64',
    );
  }
}

/** azure.github.io/azure-workload-identity: the file is written anew before its token ends. */
async function clusterToken(): Promise<string> {
  const file = cloudVariable('AZURE_FEDERATED_TOKEN_FILE');
  if (file === undefined)
    throw new CredentialUnavailable(
      'AZURE_FEDERATED_TOKEN_FILE is not set, which entra.workloadIdentity needs: label the pod azure.workload.identity/use',
    );
  const text = await credentialFile(file, 'the file of AZURE_FEDERATED_TOKEN_FILE');
  return text.trim();
}

/**
 * App Service and Container Apps say where they give tokens out (learn.microsoft.com/azure/app-service/overview-managed-identity,
 * "REST endpoint reference"); machines and clusters have one address for it
 * (learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token).
 */
function machineRequest(scope: string, clientId: string | undefined): TokenRequest {
  const [endpoint, header] = [cloudVariable('IDENTITY_ENDPOINT'), cloudVariable('IDENTITY_HEADER')];
  const isApp = endpoint !== undefined && header !== undefined;
  const instance = cloudVariable('AZURE_POD_IDENTITY_AUTHORITY_HOST') ?? 'http://169.254.169.254';
  const place = isApp ? endpoint : `${instance.replace(/\/+$/, '')}/metadata/identity/oauth2/token`;
  if (!URL.canParse(place))
    throw new CredentialUnavailable(
      `${isApp ? 'IDENTITY_ENDPOINT' : 'AZURE_POD_IDENTITY_AUTHORITY_HOST'} is no URL: it says where a managed identity asks for tokens`,
    );
  const url = new URL(place);
  url.searchParams.set('api-version', isApp ? '2019-08-01' : '2018-02-01');
  // The older word for a scope; only v2 scopes have the ending.
  url.searchParams.set('resource', scope.replace(/\/\.default$/, ''));
  if (clientId !== undefined) url.searchParams.set('client_id', clientId);
  return { url: url.href, headers: isApp ? { 'x-identity-header': header } : { metadata: 'true' } };
}
