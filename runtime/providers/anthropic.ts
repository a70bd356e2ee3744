/** Anthropic, and every vendor that speaks its Messages API. */
import type { JsonObject } from '../call.ts';
import { anthropicHoldings } from '../dialects/anthropic-holdings.ts';
import { anthropicMessages } from '../dialects/anthropic-messages.ts';
import type { Zod } from '../zod.ts';
import { apiAt, baseUrl, checkEndpoint, endpointFields, lowerCaseNames, splitBaseUrl } from './options.ts';
import type { ProviderKind } from './provider.ts';

/** The only version the vendor documents (platform.claude.com/docs/en/api/versioning). */
const apiVersion = '2023-06-01';

const options = (z: Zod) =>
  z
    .strictObject({
      // Anthropic's SDKs put the version into the path, not into the base URL, unlike OpenAI's.
      baseUrl: baseUrl(z)
        .refine((url) => !/\/v1\/*$/.test(url), 'must not end in /v1; it is added')
        .default('https://api.anthropic.com'),
      ...endpointFields(z),
    })
    .superRefine(checkEndpoint('api.anthropic.com'));

export const anthropic: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret) {
    const { origin, path } = splitBaseUrl(chosen.baseUrl);
    const headers = lowerCaseNames(chosen.headers);
    headers['anthropic-version'] = apiVersion;
    if (chosen.apiKey !== undefined) headers['x-api-key'] = readSecret(chosen.apiKey);
    const messages = {
      ...apiAt(`${path}/v1/messages`, anthropicMessages, ['anthropic-beta']),
      // platform.claude.com/docs/en/api/messages/count_tokens
      countAddress: (body: JsonObject) => ({ path: `${path}/v1/messages/count_tokens`, body }),
    };
    const holdings = { holdings: anthropicHoldings, at: (asked: string) => path + asked, passes: ['anthropic-beta'] };
    return { origin, apis: [messages], holdings, headers };
  },
};
