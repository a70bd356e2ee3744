/** OpenAI, and every vendor or local server that speaks its chat completions, with or without its responses and the operations beside chat. */
import { openaiChat } from '../dialects/openai-chat.ts';
import type { Zod } from '../zod.ts';
import { holdingsUnder, tasksUnder } from './task-apis.ts';
import { apiAt, baseUrl, checkEndpoint, endpointFields, lowerCaseNames, responsesAt, splitBaseUrl } from './options.ts';
import type { Connection, ProviderKind } from './provider.ts';

const account = (z: Zod) => z.string().regex(/^[\w-]{1,128}$/, 'must be an id such as org-… or proj_…');

const vendorHost = 'api.openai.com';

const options = (z: Zod) =>
  z
    .strictObject({
      baseUrl: baseUrl(z).default(`https://${vendorHost}/v1`),
      ...endpointFields(z),
      organization: account(z).optional(),
      project: account(z).optional(),
      /** Whether the Responses API is there. Default: at OpenAI itself it is, elsewhere not. */
      responses: z.boolean().optional(),
    })
    .superRefine(checkEndpoint(vendorHost));

export const openai: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret) {
    const { origin, path } = splitBaseUrl(chosen.baseUrl);
    const headers = lowerCaseNames(chosen.headers);
    if (chosen.organization !== undefined) headers['openai-organization'] = chosen.organization;
    if (chosen.project !== undefined) headers['openai-project'] = chosen.project;
    if (chosen.apiKey !== undefined) headers.authorization = `Bearer ${readSecret(chosen.apiKey)}`;
    const chat = apiAt(`${path}/chat/completions`, openaiChat);
    const hasResponses = chosen.responses ?? new URL(chosen.baseUrl).hostname === vendorHost;
    const apis: Connection['apis'] = hasResponses ? [chat, responsesAt(`${path}/responses`)] : [chat];
    return { origin, apis, tasks: tasksUnder(path), holdings: holdingsUnder(path), headers };
  },
};
