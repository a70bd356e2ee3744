/** Amazon Bedrock: conversations through its Converse API, embeddings and reranking through InvokeModel. */
import type { JsonObject } from '../call.ts';
import { bedrockConverse } from '../dialects/bedrock-converse.ts';
import { bedrockEmbeddings } from '../dialects/bedrock-embeddings.ts';
import { bedrockRerank } from '../dialects/bedrock-rerank.ts';
import type { Zod } from '../zod.ts';
import { chainOptions, chainSignature } from './bedrock-credentials.ts';
import { signatureOf, type AccessKey } from './bedrock-signature.ts';
import { baseUrl, checkEndpoint, endpointFields, lowerCaseNames, secretReference, splitBaseUrl } from './options.ts';
import type { Address, Api, ProviderKind, TaskApi } from './provider.ts';

const options = (z: Zod) =>
  z
    .strictObject({
      /** `us-east-1`: where requests go, and what signatures are for. */
      region: z.string().regex(/^[a-z]{2,4}(-[a-z]+)+-\d$/, 'must be a region such as us-east-1'),
      /** Of an endpoint of one's own (VPC); absent means the region's. */
      baseUrl: baseUrl(z).optional(),
      ...endpointFields(z),
      /** In place of `apiKey`, a Bedrock API key: an access key, with which each request is signed. */
      accessKeyId: secretReference(z).optional(),
      /** Of the same access key. */
      secretAccessKey: secretReference(z).optional(),
      /** Of a temporary access key. */
      sessionToken: secretReference(z).optional(),
      /** In place of any key: what the machine itself is given by AWS. Looked for only where this says so. */
      credentials: chainOptions(z).optional(),
    })
    .superRefine((chosen, context) => {
      const vendor = `bedrock-runtime.${chosen.region}.amazonaws.com`;
      const signs = chosen.accessKeyId !== undefined || chosen.secretAccessKey !== undefined;
      checkEndpoint(signs || chosen.credentials !== undefined ? undefined : vendor)(
        { ...chosen, baseUrl: urlOf(chosen) },
        context,
      );
      const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
      if (chosen.accessKeyId === undefined && signs) issue('accessKeyId', 'is missing beside secretAccessKey');
      if (chosen.secretAccessKey === undefined && signs) issue('secretAccessKey', 'is missing beside accessKeyId');
      if (chosen.sessionToken !== undefined && !signs)
        issue('sessionToken', 'belongs to an accessKeyId; there is none');
      if (signs && (chosen.apiKey ?? chosen.apiKeys) !== undefined)
        issue('accessKeyId', 'stands beside apiKey; keep one of the two');
      if (chosen.credentials !== undefined && (signs || (chosen.apiKey ?? chosen.apiKeys) !== undefined))
        issue('credentials', `stands beside ${signs ? 'accessKeyId' : 'apiKey'}; keep one of the two`);
    });

/** docs.aws.amazon.com/general/latest/gr/bedrock.html, "Amazon Bedrock runtime APIs" */
const urlOf = ({ region, baseUrl: own }: { readonly region: string; readonly baseUrl?: string | undefined }): string =>
  own ?? `https://bedrock-runtime.${region}.amazonaws.com`;

/** API_runtime_Converse.html: the model is a part of the path, and an ARN has slashes. */
function converse(path: string): Api {
  const address = (body: JsonObject): Address => {
    const { model, stream, ...sent } = body;
    const at = `${path}/model/${encodeURIComponent(typeof model === 'string' ? model : '')}`;
    if (stream !== true) return { path: `${at}/converse`, body: sent };
    return { path: `${at}/converse-stream`, body: sent, headers: { accept: 'application/vnd.amazon.eventstream' } };
  };
  return { dialect: bedrockConverse, address };
}

/** API_runtime_InvokeModel.html: what Converse does not speak of. */
const invoke = (path: string): readonly TaskApi[] =>
  [bedrockEmbeddings, bedrockRerank].map((task) => ({
    task,
    path: (model) => `${path}/model/${encodeURIComponent(model)}/invoke`,
  }));

export const bedrock: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret) {
    const { origin, path } = splitBaseUrl(urlOf(chosen));
    const headers = lowerCaseNames(chosen.headers);
    // docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
    if (chosen.apiKey !== undefined) headers['authorization'] = `Bearer ${readSecret(chosen.apiKey)}`;
    const connection = { origin, apis: [converse(path)], tasks: invoke(path), headers } as const;
    const { accessKeyId, secretAccessKey, sessionToken, region, credentials } = chosen;
    const scope = { region, service: 'bedrock' };
    if (credentials) return { ...connection, authorize: chainSignature(credentials, scope) };
    if (accessKeyId === undefined || secretAccessKey === undefined) return connection;
    const key: AccessKey = {
      accessKeyId: readSecret(accessKeyId),
      secretAccessKey: readSecret(secretAccessKey),
      sessionToken: sessionToken && readSecret(sessionToken),
    };
    const sign = signatureOf(key, scope);
    return { ...connection, authorize: (request) => sign(request) };
  },
};
