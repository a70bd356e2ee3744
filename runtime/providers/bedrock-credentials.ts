/** AWS credentials that the machine has, not the configuration: the default chain of AWS's own library, and a role on top of it. */
import type { OutputOf, Zod } from '../zod.ts';
import { signatureOf, type Scope } from './bedrock-signature.ts';
import { cloudVariable, type CloudVariable } from './cloud-variables.ts';
import { CredentialUnavailable, type Connection } from './provider.ts';
import { credentialSource } from './token-source.ts';

/** docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html, "Request Parameters" */
export const chainOptions = (z: Zod) =>
  z
    .strictObject({
      /** Variables, shared files, web identity (EKS), container (ECS, EKS), instance: the order in which AWS's SDKs look. */
      chain: z.literal('default'),
      /** Of the shared files; then the variables for a key are not asked. */
      profile: z
        .string()
        .regex(/^[\w.@/+ -]{1,128}$/, 'must be the name of a profile')
        .optional(),
      /** A role that is assumed with what the chain finds. */
      roleArn: z
        .string()
        .regex(
          /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/,
          'must be an ARN such as arn:aws:iam::123456789012:role/gateway',
        )
        .optional(),
      /** What the role's owner asks for beside the identity, where he does. */
      externalId: z
        .string()
        .regex(/^[\w+=,.@:/-]{2,1224}$/, 'must be 2 to 1224 letters, digits and +=,.@:/-')
        .optional(),
      /** What the role's owner sees in his log. Default: headgate. */
      sessionName: z
        .string()
        .regex(/^[\w+=,.@-]{2,64}$/, 'must be 2 to 64 letters, digits and +=,.@-')
        .optional(),
    })
    .superRefine((chosen, context) => {
      for (const name of ['externalId', 'sessionName'] as const)
        if (chosen[name] !== undefined && chosen.roleArn === undefined)
          context.addIssue({ code: 'custom', path: [name], message: 'belongs to a roleArn; there is none' });
    });
type Chain = OutputOf<typeof chainOptions>;

interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Keys without an end, such as those in a file, are looked at again: whoever changes them need not restart anything. */
const lookAgainMs = 3_600_000;

/** Signs with the key of the moment. Nothing is looked for before the first request. */
export function chainSignature(chosen: Chain, scope: Scope): NonNullable<Connection['authorize']> {
  const source = credentialSource(async () => {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await identityOf(chosen, scope.region);
    const sign = signatureOf({ accessKeyId, secretAccessKey, sessionToken }, scope);
    return { sign, endsAt: expiration?.getTime() ?? Date.now() + lookAgainMs };
  });
  return async (request, signal) => (await source(signal)).sign(request);
}

async function identityOf(chosen: Chain, region: string): Promise<Identity> {
  // The library is loaded by those only who asked for it.
  const aws = await import('@aws-sdk/credential-providers');
  const { profile, roleArn, externalId, sessionName = 'headgate' } = chosen;
  const common = { clientConfig: { region }, logger: silent };
  // The first version of the metadata service gives keys to whoever can make the machine send a request.
  const chain = aws.fromNodeProviderChain({
    ...common,
    ...(profile !== undefined && { profile }),
    ignoreCache: true,
    ec2MetadataV1Disabled: true,
  });
  const own = await chain().catch((error: unknown) => {
    throw failure(error, sayWhere(profile));
  });
  if (roleArn === undefined) return own;
  const params = { RoleArn: roleArn, RoleSessionName: sessionName, ...(externalId && { ExternalId: externalId }) };
  const assume = aws.fromTemporaryCredentials({ ...common, masterCredentials: own, params });
  return assume().catch((error: unknown) => {
    const cure = 'let what the default chain finds assume it, and see whether its trust policy asks for an externalId';
    throw failure(error, (why) => `AWS gave no session of the role ${roleArn}${why}: ${cure}`);
  });
}

/** What the library would say on the console. */
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const places: readonly (readonly [CloudVariable, string])[] = [
  ['AWS_ACCESS_KEY_ID', 'its variables'],
  ['AWS_PROFILE', 'the profile that AWS_PROFILE names'],
  ['AWS_WEB_IDENTITY_TOKEN_FILE', 'the web identity of AWS_WEB_IDENTITY_TOKEN_FILE'],
  ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', "the container's AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
  ['AWS_CONTAINER_CREDENTIALS_FULL_URI', "the container's AWS_CONTAINER_CREDENTIALS_FULL_URI"],
];

const sayWhere = (profile: string | undefined) => (why: string) => {
  const set = profile === undefined ? places.filter(([name]) => cloudVariable(name) !== undefined) : [];
  const named = profile === undefined ? 'the shared files' : `the profile '${profile}' of the shared files`;
  const machine = cloudVariable('AWS_EC2_METADATA_DISABLED') === undefined ? ["the instance's metadata service"] : [];
  const looked = [...set.map(([, place]) => place), named, ...machine].join(', ');
  return `AWS's default chain gave no credential${why}, looked for in ${looked}: give the gateway an identity there, or a key in the configuration`;
};

/** Only names of errors are repeated: sentences may hold anything, the output of a process included. */
function failure(error: unknown, say: (why: string) => string): Error {
  const { name, code, $fault, $metadata } = error as Readonly<Record<string, unknown>>;
  const status = ($metadata as { readonly httpStatusCode?: number } | undefined)?.httpStatusCode;
  const known = typeof name === 'string' && /^[A-Za-z]{1,64}$/.test(name) && name !== 'CredentialsProviderError';
  const message = say(known ? ` (${name})` : '');
  const passes = $fault === 'server' || status === 429 || (typeof code === 'string' && /^E[A-Z]+$/.test(code));
  const isPassing = passes || /^(Throttling|ThrottlingException|TimeoutError)$/.test(String(name));
  return isPassing ? new Error(message) : new CredentialUnavailable(message);
}
