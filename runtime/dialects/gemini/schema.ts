/** Google's own schemas, a subset of OpenAPI 3.0, as JSON Schema; and what of JSON Schema Google leaves out of account. */
import type { Json, JsonObject } from '../../call.ts';
import { isList, isObject, isSet, withoutUndefined } from '../json-fields.ts';
import { camelCase, field } from './fields.ts';

/** Numbers of 64 bits are texts in Google's JSON (`@google/genai`, Schema). */
const counts = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties']);

export function jsonSchemaOf(schema: JsonObject): JsonObject {
  const written: Record<string, Json | undefined> = {};
  for (const [spelled, value] of Object.entries(schema)) {
    const name = camelCase(spelled);
    if (isSet(value)) Object.assign(written, member(name, value, schema));
  }
  return field(schema, 'nullable') === true ? nullable(written) : written;
}

function member(name: string, value: Json, schema: JsonObject): JsonObject {
  if (name === 'type') return { type: typeof value === 'string' ? value.toLowerCase() : value };
  // Says no more than `enum` does.
  if (name === 'nullable' || name === 'propertyOrdering' || (name === 'format' && value === 'enum')) return {};
  if (name === 'example') return { examples: [value] };
  if (name === 'properties' && isObject(value)) return { properties: properties(value, schema) };
  if (name === 'items' && isObject(value)) return { items: jsonSchemaOf(value) };
  if (name === 'anyOf' && isList(value))
    return { anyOf: value.map((each) => (isObject(each) ? jsonSchemaOf(each) : each)) };
  return { [name]: counts.has(name) && typeof value === 'string' ? Number(value) : value };
}

/** In the order that `propertyOrdering` gives: in JSON Schema the properties stand in it. */
function properties(declared: JsonObject, schema: JsonObject): JsonObject {
  const ordering = field(schema, 'propertyOrdering');
  const order = isList(ordering) ? ordering : [];
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const sorted = Object.entries(declared).toSorted(([a], [b]) => rank(a) - rank(b));
  return Object.fromEntries(sorted.map(([name, each]) => [name, isObject(each) ? jsonSchemaOf(each) : each]));
}

function nullable(schema: Readonly<Record<string, Json | undefined>>): JsonObject {
  const { type, enum: values, ...rest } = schema;
  if (typeof type !== 'string') return { anyOf: [withoutUndefined<JsonObject>({ ...schema }), { type: 'null' }] };
  return withoutUndefined<JsonObject>({
    type: [type, 'null'],
    enum: isList(values) ? [...values, null] : undefined,
    ...rest,
  });
}

/** What Google's answers keep to (`@google/genai`, `responseJsonSchema`), and words that demand nothing. */
const kept = new Set(
  (
    '$id $defs $ref $anchor type format title description enum items prefixItems minItems maxItems minimum maximum ' +
    'anyOf oneOf properties additionalProperties required propertyOrdering ' +
    '$schema $comment default examples deprecated'
  ).split(' '),
);
const schemaMaps = ['properties', '$defs'];
const schemaLists = ['prefixItems', 'anyOf', 'oneOf'];
const lone = ['items', 'additionalProperties'];

/** The schema for `responseJsonSchema`; words that are sent but have no effect there are given to `report`. */
export function answerSchema(schema: JsonObject, report: (word: string) => void): JsonObject {
  const { const: only, ...rest } = schema;
  // A choice of one is the same, and known there.
  const said: JsonObject = typeof only === 'string' || typeof only === 'number' ? { ...rest, enum: [only] } : schema;
  const inside = (value: Json | undefined): Json | undefined => (isObject(value) ? answerSchema(value, report) : value);
  return Object.fromEntries(
    Object.entries(said).map(([word, value]) => {
      if (!kept.has(word)) report(word);
      if (schemaMaps.includes(word) && isObject(value))
        return [word, Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inside(each)]))];
      if (schemaLists.includes(word) && isList(value)) return [word, value.map((each) => inside(each) ?? null)];
      return [word, lone.includes(word) ? inside(value) : value];
    }),
  );
}
