/** Azure OpenAI, through its v1 API. Ids of models are the names of deployments. */
import type { Zod } from '../zod.ts';
import { entraOptions, entraToken } from './azure-entra.ts';
import { connectionAt } from './compatible.ts';
import { baseUrl, checkEndpoint, endpointFields, lowerCaseNames, responsesAt, splitBaseUrl } from './options.ts';
import type { Connection, ProviderKind } from './provider.ts';
import { holdingsUnder } from './task-apis.ts';

/** Azure's own hosts: `.openai.azure.com`, `.services.ai.azure.com`, `.cognitiveservices.azure.com`. */
const azureHosts = '.azure.com';

const options = (z: Zod) =>
  z
    .strictObject({
      /** `https://RESOURCE.openai.azure.com/openai/v1`. */
      baseUrl: baseUrl(z).refine(
        (url) => !URL.canParse(url) || !new URL(url).hostname.endsWith(azureHosts) || /\/openai\/v1\/*$/.test(url),
        'must end in /openai/v1: the API that takes the name of a deployment as the model',
      ),
      ...endpointFields(z),
      /** In place of `apiKey`: tokens of Entra ID. */
      entra: entraOptions(z).optional(),
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
    const token = entraToken(chosen.entra, readSecret);
    return { ...keyed, authorize: async (_, signal) => ({ authorization: `Bearer ${await token(signal)}` }) };
  },
};
