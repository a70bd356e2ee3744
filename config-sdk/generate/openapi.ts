/** What a gateway serves to its clients, as an OpenAPI 3.1 document: the model APIs and routes of one configuration, and nothing that is not there. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '@headgate/runtime/canonical-json';
import type { ErrorCode } from '@headgate/runtime/errors';
import type { Snapshot } from '@headgate/runtime/snapshot';
import * as surfaces from '@headgate/runtime/surfaces';
import {
  answerHeaders,
  asDocumented,
  headers,
  headersOf,
  modelParameter,
  operationOf,
  schemas,
  securitySchemes,
} from './openapi-parts.ts';
import { taskPaths } from './openapi-tasks.ts';
import { codesFor, failures, type Traits } from './openapi-failures.ts';
import { modelsFor } from './model-kinds.ts';
import { routePaths } from './openapi-routes.ts';
import { requestFields, sortedEntries, type Field } from './requests.ts';

type Surface = (typeof surfaces)[keyof typeof surfaces];

const json = (name: string) => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } });
const described = new Set(
  Object.entries<Surface>(surfaces).flatMap(([name, { hasOwnSchemas }]) => (hasOwnSchemas ? name : [])),
);
/** The surfaces' calls that they are best known for, as paths. */
const firstCalls = new Set(Object.values(surfaces).map(({ calls }) => calls[0].path));
const errorsOf = (surface: string) => (described.has(surface) ? json('Error') : asDocumented(surface));
const counts = new Set(
  Object.values(surfaces).flatMap(({ calls }) => calls.flatMap((call) => (call.writeCount ? call.path : []))),
);
/** What a path's query must say. */
const queryParameters = new Map(
  Object.values(surfaces).flatMap(({ calls }) =>
    calls.map(({ path, query = {} }): [string, object[]] => [
      path,
      Object.entries(query).map(([name, value]) => ({ name, in: 'query', required: true, schema: { const: value } })),
    ]),
  ),
);
function traitsOf(snapshot: Snapshot): Traits {
  const [models, consumers] = [Object.values(snapshot.models), Object.values(snapshot.consumers)];
  const bounds = consumers.flatMap((consumer) => [consumer, ...Object.values(consumer.keyTerms ?? {})]);
  return {
    isModelCall: true,
    hasQuotas: [...models, ...consumers].some(({ quotas = [] }) => quotas.length > 0),
    hasPolicies: models.some(({ policies = [] }) => policies.length > 0),
    isStrict: models.some(({ strict }) => strict === true),
    needsValues: models.some((model) =>
      (['header', 'metadata'] as const).some((sort) =>
        requestFields(snapshot, model, sort).some(({ isRequired }) => isRequired),
      ),
    ),
    isNarrowed: bounds.some(({ models: list }) => list !== undefined),
    isNarrowedByPrompts: bounds.some(({ prompts }) => prompts !== undefined),
  };
}

const fieldSchema = ({ choices }: Field) => ({ type: 'string', ...(choices && { enum: choices }) });

/** What single models want in `metadata`, as conditions on the request: one for each model whose prompt reads it. */
function metadataRules(snapshot: Snapshot): object[] {
  return sortedEntries(snapshot.models).flatMap(([name, model]) => {
    const fields = requestFields(snapshot, model, 'metadata');
    if (fields.length === 0) return [];
    const required = fields.filter(({ isRequired }) => isRequired).map((field) => field.name);
    const metadata = {
      type: 'object',
      properties: Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field)])),
      ...(required.length > 0 && { required }),
    };
    return [
      {
        if: { properties: { model: { const: name } } },
        // oxlint-disable-next-line unicorn/no-thenable -- a word of JSON Schema
        then: { properties: { metadata }, ...(required.length > 0 && { required: ['metadata'] }) },
      },
    ];
  });
}

/** A header that one model wants is optional in an operation that serves them all. */
function headerParameters(snapshot: Snapshot): object[] {
  const wanted = new Map<string, string[]>();
  for (const [name, model] of sortedEntries(snapshot.models))
    for (const field of requestFields(snapshot, model, 'header'))
      wanted.set(field.name, [...(wanted.get(field.name) ?? []), `${name}${field.isRequired ? ' (required)' : ''}`]);
  return [...wanted]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, models]) => ({
      name,
      in: 'header',
      description: `Goes into the prompt of ${models.join(', ')}.`,
      schema: { type: 'string' },
    }));
}

function callOperation(snapshot: Snapshot, surface: string, path: string): object {
  const traits = traitsOf(snapshot);
  const inPath = path.includes('{model}') ? [modelParameter] : [];
  const parameters = [...inPath, ...(queryParameters.get(path) ?? []), ...headerParameters(snapshot)];
  const isDescribed = described.has(surface) && firstCalls.has(path);
  const isCount = counts.has(path);
  return {
    operationId: operationOf(path),
    tags: ['models'],
    summary: isCount ? 'Count the tokens of what would be asked' : 'Ask a model',
    ...(parameters.length > 0 && { parameters }),
    requestBody: { required: true, content: isDescribed ? json('ModelRequest') : asDocumented(surface) },
    responses: {
      200: {
        description: isCount
          ? 'The number of tokens.'
          : 'The answer, or a stream of events where the request asks for one.',
        headers: { ...answerHeaders(traits), ...headersOf([isCount ? 'headgate-estimate' : 'headgate-cache']) },
        content: {
          ...(isDescribed ? json('ModelAnswer') : asDocumented(surface)),
          ...(!isCount && {
            'text/event-stream': { schema: { type: 'string', description: 'Events, as that API has them.' } },
          }),
        },
      },
      ...failures(codesFor(traits), errorsOf(surface)),
    },
  };
}

/** Listing asks no target and draws from no quota. */
const listFailures: readonly ErrorCode[] = [
  'invalid_api_key',
  'invalid_request',
  'internal_error',
  'missing_api_key',
  'not_ready',
];

function listOperations(surface: string, path: string): Record<string, object> {
  const answered = (name: string) => ({
    description: 'What the caller may use.',
    headers: headersOf(['x-request-id', 'headgate-revision']),
    content: described.has(surface) ? json(name) : asDocumented(surface),
  });
  const common = { tags: ['models'] };
  const id = path.replaceAll('/', '_');
  return {
    [path]: {
      get: {
        operationId: `get${id}`,
        ...common,
        summary: 'List models',
        responses: { 200: answered('ModelList'), ...failures(listFailures, errorsOf(surface)) },
      },
    },
    [`${path}/{model}`]: {
      get: {
        operationId: `get${id}_model`,
        ...common,
        summary: 'Tell of one model',
        parameters: [modelParameter],
        responses: { 200: answered('Model'), ...failures([...listFailures, 'model_not_found'], errorsOf(surface)) },
      },
    },
  };
}

function modelPaths(snapshot: Snapshot): Record<string, object> {
  const isNarrow = (surface: object) => Number('isSpokenBy' in surface);
  const all = Object.entries<Surface>(surfaces).sort(([, one], [, other]) => isNarrow(one) - isNarrow(other));
  const calls =
    modelsFor(snapshot, 'chat').length === 0
      ? []
      : all.flatMap(([name, surface]) => surface.calls.map(({ path }): [string, string] => [name, path]));
  // Where two surfaces list at one path, the words are those for a client that shows nothing else.
  const lists = new Map(all.map(([name, { modelsPath }]): [string, string] => [modelsPath, name]).reverse());
  return {
    ...taskPaths(snapshot, all, { traits: traitsOf(snapshot), errorsOf }),
    ...Object.fromEntries(calls.map(([name, path]) => [path, { post: callOperation(snapshot, name, path) }])),
    ...Object.fromEntries([...lists].flatMap(([path, name]) => Object.entries(listOperations(name, path)))),
  };
}

/** The same document for the same snapshot; its version is a digest of what is served. */
export function openApiDocument(snapshot: Snapshot): object {
  const { sources: _, ...served } = snapshot;
  const version = createHash('sha256').update(canonicalJson(served)).digest('hex').slice(0, 12);
  const names = modelsFor(snapshot, 'chat');
  const rules = metadataRules(snapshot);
  return {
    openapi: '3.1.0',
    info: { title: snapshot.name, version, description: 'Written by `headgate generate openapi`.' },
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
    tags: [{ name: 'models' }, { name: 'routes' }],
    paths: Object.fromEntries(
      Object.entries({ ...modelPaths(snapshot), ...routePaths(snapshot) }).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    components: { securitySchemes, headers, schemas: schemas(names, rules) },
  };
}
