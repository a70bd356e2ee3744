/** The parts of the OpenAPI document that operations refer to: who may call, headers, envelopes. */
import type { Traits } from './openapi-failures.ts';

const key = (name: string) => ({ type: 'apiKey', in: 'header', name });

/** One of them is enough; the first that is sent counts, in this order. */
export const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'The key of a consumer.' },
  'x-api-key': key('x-api-key'),
  'x-goog-api-key': key('x-goog-api-key'),
  'api-key': key('api-key'),
};

const text = (description: string) => ({ description, schema: { type: 'string' } });
const count = (description: string) => ({ description, schema: { type: 'integer', minimum: 0 } });

export const headers = {
  'headgate-attempts': count('How many tries it took.'),
  'headgate-cache': text('Whether the answer came from a cache.'),
  'headgate-cost-usd': text('US dollars that the answer cost, where prices are known and it is not streamed.'),
  'headgate-dropped': text(
    'What of the request the target that answered could not be told, and what of a whole answer has no place in this API.',
  ),
  'headgate-estimate': text(
    '`true` where a number of tokens is an estimate of the gateway and no count of the provider.',
  ),
  'headgate-quota-warning': text('Quotas that are near their end, with what is used of each.'),
  'headgate-revision': text('The commit of the configuration that served, in short.'),
  'headgate-target': text('What answered: `provider/model`, or the name of an upstream.'),
  ratelimit: text('What is left of each quota.'),
  'ratelimit-policy': text('The quotas that were drawn from.'),
  'retry-after': count('Seconds to wait, where the gateway knows them.'),
  'x-ratelimit-limit-requests': count('Limit of the quota that is nearest to its end.'),
  'x-ratelimit-limit-tokens': count('The same of quotas that count tokens.'),
  'x-ratelimit-remaining-requests': count('What is left of it.'),
  'x-ratelimit-remaining-tokens': count('What is left of it.'),
  'x-ratelimit-reset-requests': text('When it begins anew, such as `12s`.'),
  'x-ratelimit-reset-tokens': text('When it begins anew, such as `12s`.'),
  'x-request-id': text("The client's own where it sent a sane one, else made here."),
};

const object = (properties: Record<string, object>, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
});

const model = object({
  id: { type: 'string' },
  object: { const: 'model' },
  created: { type: 'integer' },
  owned_by: { type: 'string' },
});

/** Schemas are open: fields that the gateway does not read pass through, or are named in `headgate-dropped`. */
export function schemas(models: readonly string[], rules: readonly object[]): Record<string, object> {
  const metadata = { type: ['object', 'null'], additionalProperties: { type: 'string' } };
  const request = object(
    {
      model: { type: 'string', ...(models.length > 0 && { enum: models }) },
      messages: { type: 'array', minItems: 1, items: object({ role: { type: 'string' } }) },
      stream: { type: ['boolean', 'null'] },
      metadata,
    },
    ['model', 'messages'],
  );
  return {
    Error: object({
      error: object({
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: ['string', 'null'] },
        code: { type: 'string' },
      }),
    }),
    Model: model,
    ModelAnswer: object({
      id: { type: 'string' },
      object: { const: 'chat.completion' },
      created: { type: 'integer' },
      model: { type: 'string' },
      choices: { type: 'array', items: { type: 'object' } },
    }),
    ModelList: object({
      object: { const: 'list' },
      data: { type: 'array', items: { $ref: '#/components/schemas/Model' } },
    }),
    ModelRequest: { ...request, ...(rules.length > 0 && { allOf: rules }) },
    Problem: object({
      type: { type: 'string' },
      title: { type: 'string' },
      status: { type: 'integer' },
      detail: { type: 'string' },
      code: { type: 'string' },
    }),
  };
}

/** A message of an API that its own vendor describes better than a copy here would. */
export const asDocumented = (surface: string) => ({
  'application/json': { schema: { type: 'object', description: `As the documentation of ${surface} has it.` } },
});
export const modelParameter = { name: 'model', in: 'path', required: true, schema: { type: 'string' } };
const limits = [
  'ratelimit',
  'ratelimit-policy',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
  'headgate-quota-warning',
];
export const headersOf = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** Of an answer by a model. */
export const answerHeaders = ({ hasQuotas }: Pick<Traits, 'hasQuotas'>) =>
  headersOf([
    'x-request-id',
    'headgate-revision',
    'headgate-target',
    'headgate-attempts',
    'headgate-cost-usd',
    'headgate-dropped',
    ...(hasQuotas ? limits : []),
  ]);

export const operationOf = (path: string) => `post${path.replace(/[{}]/g, '').replace(/[/:]/g, '_')}`;
