/** The Anthropic surface: messages, the count of their tokens, and the list of models. */
import { anthropicHoldings } from '../dialects/anthropic-holdings.ts';
import { anthropicCount, anthropicMessages } from '../dialects/anthropic-messages.ts';
import type { Surface } from './surface.ts';

/** What is not known of a model is null, and its day of release the epoch (anthropic SDK, models.ts, `ModelInfo`). */
const writeModel = (name: string) => ({
  type: 'model',
  id: name,
  display_name: name,
  created_at: '1970-01-01T00:00:00Z',
  lifecycle: 'active',
  deprecated_at: null,
  retires_at: null,
  capabilities: null,
  line: null,
  max_input_tokens: null,
  max_tokens: null,
});

export const anthropic: Surface = {
  calls: [
    { path: '/v1/messages', dialect: anthropicMessages },
    {
      path: '/v1/messages/count_tokens',
      dialect: anthropicCount,
      writeCount: (tokens) => ({ input_tokens: tokens }),
    },
  ],
  holdings: anthropicHoldings,
  modelsPath: '/v1/models',
  // All on one page, whatever size was asked for: SDKs go on only where there is more.
  writeModels: (names) => ({
    data: names.map(writeModel),
    has_more: false,
    first_id: names[0] ?? null,
    last_id: names.at(-1) ?? null,
  }),
  writeModel,
  writeError: (error) => anthropicMessages.writeError(error),
  // Sent with every request (platform.claude.com/docs/en/api/versioning).
  isSpokenBy: (headers) => headers['anthropic-version'] !== undefined,
  idHeader: 'request-id',
};
