/** Azure OpenAI, through its v1 API. Ids of models are the names of deployments. */
import { z } from 'zod';
import { connectionAt } from './compatible.ts';
import { holdingsUnder } from './task-apis.ts';
import {
  baseUrl,
  checkEndpoint,
  endpointFields,
  isPrivateHost,
  lowerCaseNames,
  responsesAt,
  secretReference,
  splitBaseUrl,
} from './options.ts';
import type { Connection, ProviderKind } from './provider.ts';
import { askToken, tokenSource } from './token-source.ts';

/** Azure's own hosts: `.openai.azure.com`, `.services.ai.azure.com`, `.cognitiveservices.azure.com`. */
const azureHosts = '.azure.com';

/** An application registered in Entra ID, which asks in its own name. */
const entra = z.strictObject({
  /** The directory's id, or a domain of it. */
  tenant: z.string().regex(/^[\w.-]{1,128}$/, 'must be the id or a domain of a directory'),
  clientId: z.string().regex(/^[\w-]{1,64}$/, 'must be the id of an application'),
  clientSecret: secretReference,
  /** Absent means that of Azure OpenAI. */
  scope: z
    .string()
    .regex(/^(https|api):\/\/[\w./-]{1,200}$/, 'must be a scope such as https://cognitiveservices.azure.com/.default')
    .default('https://cognitiveservices.azure.com/.default'),
  /** Where tokens are asked for, in place of login.microsoftonline.com: another cloud of Azure's. */
  tokenUrl: baseUrl
    .refine(
      (url) => !URL.canParse(url) || new URL(url).protocol === 'https:' || isPrivateHost(new URL(url).hostname),
      'http:// sends the secret in the clear; use https://',
    )
    .optional(),
});

const options = z
  .strictObject({
    /** `https://RESOURCE.openai.azure.com/openai/v1`. */
    baseUrl: baseUrl.refine(
      (url) => !URL.canParse(url) || !new URL(url).hostname.endsWith(azureHosts) || /\/openai\/v1\/*$/.test(url),
      'must end in /openai/v1: the API that takes the name of a deployment as the model',
    ),
    ...endpointFields,
    /** In place of `apiKey`: tokens of Entra ID. */
    entra: entra.optional(),
  })
  .superRefine((chosen, context) => {
    checkEndpoint(chosen.entra ? undefined : azureHosts)(chosen, context);
    if (chosen.entra !== undefined && (chosen.apiKey ?? chosen.apiKeys) !== undefined)
      context.addIssue({ code: 'custom', path: ['entra'], message: 'stands beside apiKey; keep one of the two' });
  });

export const azure: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret) {
    const headers = lowerCaseNames(chosen.headers);
    // MicrosoftDocs/azure-ai-docs, articles/ai-foundry/openai/api-version-lifecycle.md, "next generation API"
    if (chosen.apiKey !== undefined) headers['api-key'] = readSecret(chosen.apiKey);
    const connection = connectionAt(chosen.baseUrl, headers, {});
    // learn.microsoft.com/azure/ai-services/openai/how-to/responses: part of the same v1 API.
    const responses = responsesAt(`${splitBaseUrl(chosen.baseUrl).path}/responses`);
    // learn.microsoft.com/azure/foundry/reference/rest/batches-create-batch: the same, at /openai/v1/files and /batches.
    const holdings = holdingsUnder(splitBaseUrl(chosen.baseUrl).path);
    const keyed: Connection = { ...connection, apis: [...connection.apis, responses], holdings };
    if (!chosen.entra) return keyed;
    const { tenant, clientId, clientSecret, scope, tokenUrl } = chosen.entra;
    // learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, "First case: access token request with a shared secret"
    const url = tokenUrl ?? `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;
    const form = {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: readSecret(clientSecret),
      scope,
    };
    const token = tokenSource(async (signal) => askToken({ url, form }, signal));
    return { ...keyed, authorize: async (_, signal) => ({ authorization: `Bearer ${await token(signal)}` }) };
  },
};
