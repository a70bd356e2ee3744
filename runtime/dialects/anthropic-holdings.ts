/** Message batches of Anthropic's API (platform.claude.com/docs/en/api/messages/batches; `@anthropic-ai/sdk`, resources/messages/batches.d.ts). */
import { CallError } from './dialect.ts';
import type { Enclosing, Holdings } from './holdings.ts';
import { countIn, isList, isObject, listIn, objectIn } from './json-fields.ts';

const placeOf = (index: number): string => `requests[${index}].params`;

const encloses: Enclosing = {
  placeOf,
  callsIn({ requests }) {
    if (!isList(requests)) throw new CallError('requests is missing: send a list.', 'requests');
    return requests.map((request, index) => {
      const params = isObject(request) ? request['params'] : undefined;
      if (!isObject(params)) throw new CallError('params is missing: send the message as an object.', placeOf(index));
      return { path: '/v1/messages', body: params };
    });
  },
  withBodies: (body, bodies) => ({
    ...body,
    requests: listIn(body, 'requests').map((request, index) =>
      isObject(request) ? { ...request, params: bodies[index] } : request,
    ),
  }),
};

export const anthropicHoldings: Holdings = {
  name: 'anthropic-batches',
  requests: [
    { method: 'POST', path: '/v1/messages/batches', sends: 'json', encloses },
    { method: 'GET', path: '/v1/messages/batches', isList: true },
    { method: 'GET', path: '/v1/messages/batches/{id}' },
    { method: 'DELETE', path: '/v1/messages/batches/{id}' },
    { method: 'POST', path: '/v1/messages/batches/{id}/cancel' },
    { method: 'GET', path: '/v1/messages/batches/{id}/results', answers: 'bytes' },
  ],
  ids: ['id', 'first_id', 'last_id', 'after_id', 'before_id'],
  // SDKs follow it with the key that they have for the gateway.
  addresses: { results_url: '/v1/messages/batches/{id}/results' },
  readUsage(line) {
    const usage = objectIn(objectIn(objectIn(line, 'result'), 'message'), 'usage');
    const input = countIn(usage, 'input_tokens');
    if (input === undefined) return undefined;
    const cachedInputTokens = countIn(usage, 'cache_read_input_tokens') ?? 0;
    const cacheWriteTokens = countIn(usage, 'cache_creation_input_tokens') ?? 0;
    return {
      inputTokens: input + cachedInputTokens + cacheWriteTokens,
      outputTokens: countIn(usage, 'output_tokens') ?? 0,
      cachedInputTokens,
      cacheWriteTokens,
    };
  },
};
