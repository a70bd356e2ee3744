/** Perplexity's Agent API, and under the names of Sonar's models what took their place. */
import { openaiResponsesWith, wordedFor, type Quirks } from '../dialects/openai-responses.ts';
import type { Quirks as ChatQuirks } from '../dialects/openai-chat.ts';
import type { Zod } from '../zod.ts';
import { connectionAt } from './compatible.ts';
import { baseUrl, checkEndpoint, endpointFields, lowerCaseNames, splitBaseUrl } from './options.ts';
import type { Api, ProviderKind } from './provider.ts';
import { tasksUnder } from './task-apis.ts';

const vendorHost = 'api.perplexity.ai';

/** A preset brings the web search, which a model alone lacks. With its model said it does not go to another vendor's. */
const sonarWith = (preset: string) => ({ model: 'perplexity/sonar', preset });

/** Unknown fields, nested ones included, are a 400: perplexityai/api-platform-developers, skills/migrate-sonar-to-agent-api. */
const agentQuirks: Quirks = {
  user: false,
  include: false,
  namedTool: 'untyped',
  answerFormat: 'response_format',
  jsonObject: false,
  imageDetail: false,
  // perplexityai/perplexity-py, types/input_item_param.py.
  history: 'text',
  efforts: ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'],
  // The vendor's guide (docs.perplexity.ai/docs/agent-api/migrate-from-sonar) as retold of late, see danielmiessler/Fabric#2276. In
  // August `sonar-pro` and the reasoning ones were retold one tier higher (vercel/ai#18988), at several times the cost.
  standIns: {
    sonar: sonarWith('fast'),
    'sonar-pro': sonarWith('fast'),
    'sonar-reasoning': sonarWith('low'),
    'sonar-reasoning-pro': sonarWith('low'),
    'sonar-deep-research': sonarWith('high'),
  },
};

/** Sonar's, until 2026-09-27 (vercel/ai, release of @ai-sdk/perplexity 3.1.0): servers behind another `baseUrl` may have it still. */
const chatQuirks: ChatQuirks = {
  // All fields that it has: perplexityai/perplexity-py, types/chat/completion_create_params.py.
  outputCap: 'max_tokens',
  lacks: { seed: true, user: true },
  namedTool: 'alone',
  jsonObject: false,
  efforts: ['minimal', 'low', 'medium', 'high'],
  // Usage is in every chunk, and most models end without [DONE] (perplexityai/api-discussion#209).
  streamUsage: 'unasked',
  streamEnd: 'finish_reason',
};

const options = (z: Zod) =>
  z
    .strictObject({
      baseUrl: baseUrl(z).default(`https://${vendorHost}`),
      ...endpointFields(z),
      /** The API that is spoken: the vendor ended `chat-completions` on 2026-09-27. */
      api: z.enum(['agent', 'chat-completions']).default('agent'),
    })
    .superRefine(checkEndpoint(vendorHost));

export const perplexity: ProviderKind<typeof options> = {
  options,
  connect(chosen, readSecret) {
    const { origin, path } = splitBaseUrl(chosen.baseUrl);
    const headers = lowerCaseNames(chosen.headers);
    if (chosen.apiKey !== undefined) headers.authorization = `Bearer ${readSecret(chosen.apiKey)}`;
    if (chosen.api === 'chat-completions') return connectionAt(chosen.baseUrl, headers, chatQuirks);
    const agent: Api = {
      dialect: openaiResponsesWith(agentQuirks),
      // The same as /v1/agent, under the name that SDKs of this dialect have.
      address: (body) => ({ path: `${path}/v1/responses`, body: wordedFor(agentQuirks, body) }),
      takes: ['chat', 'responses'],
    };
    return { origin, apis: [agent], tasks: tasksUnder(path), headers };
  },
};
