/** OpenAI, and every vendor or local server that speaks its chat completions, with or without the operations beside them. */
import { z } from 'zod';
import { openaiChat } from '../dialects/openai-chat.ts';
import { tasksUnder } from './task-apis.ts';
import { apiAt, baseUrl, checkEndpoint, endpointFields, lowerCaseNames, splitBaseUrl } from './options.ts';
import type { ProviderKind } from './provider.ts';

const account = z.string().regex(/^[\w-]{1,128}$/, 'must be an id such as org-… or proj_…');

const options = z
  .strictObject({
    baseUrl: baseUrl.default('https://api.openai.com/v1'),
    ...endpointFields,
    organization: account.optional(),
    project: account.optional(),
  })
  .superRefine(checkEndpoint('api.openai.com'));

export const openai: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret) {
    const { origin, path } = splitBaseUrl(chosen.baseUrl);
    const headers = lowerCaseNames(chosen.headers);
    if (chosen.organization !== undefined) headers['openai-organization'] = chosen.organization;
    if (chosen.project !== undefined) headers['openai-project'] = chosen.project;
    if (chosen.apiKey !== undefined) headers.authorization = `Bearer ${readSecret(chosen.apiKey)}`;
    return { origin, apis: [apiAt(`${path}/chat/completions`, openaiChat)], tasks: tasksUnder(path), headers };
  },
};
