/** The TypeScript file that applications import: names of models, prompts and routes as types, without any dependency. */
import { errorTable } from '@headgate/runtime/errors';
import type { RouteSnapshot, Snapshot } from '@headgate/runtime/snapshot';
import { promptFields, requestFields, sortedEntries, type Field } from './requests.ts';

const text = (value: string): string => JSON.stringify(value);
const union = (words: readonly string[]): string => (words.length === 0 ? 'never' : words.map(text).join(' | '));
const member = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : text(name));

function shape(fields: readonly Field[]): string {
  if (fields.length === 0) return 'Nothing';
  const members = fields.map(
    ({ name, isRequired, choices }) =>
      `${member(name)}${isRequired ? '' : '?'}: ${choices ? union(choices) : 'string'}`,
  );
  return `{ ${members.join('; ')} }`;
}

const block = (head: string, members: readonly string[]): string =>
  members.length === 0 ? `${head} {}\n` : `${head} {\n${members.map((each) => `  ${each};\n`).join('')}}\n`;

function pathType(path: string): string {
  if (!path.endsWith('/*')) return text(path);
  const prefix = path.slice(0, -2);
  return prefix === '' ? '`/${string}`' : `${text(prefix)} | \`${prefix}/\${string}\``;
}

function routeType({ path, methods, host }: RouteSnapshot): string {
  const method = methods ? union([...methods].sort()) : 'string';
  return `{ method: ${method}; path: ${pathType(path)}${host === undefined ? '' : `; host: ${text(host)}`} }`;
}

/** What never reaches a client is no code to handle. */
const clientCodes = Object.keys(errorTable)
  .filter((code) => code !== 'client_closed_request')
  .sort();

const helpers = `/** No field at all: whatever is given is one too many. */
export type Nothing = { [name: string]: never };

type Given<Fields> = Fields extends Nothing ? [nothing?: undefined] : object extends Fields ? [fields?: Fields] : [fields: Fields];

/**
 * The part of a request's body that names the model, and what the model's prompt takes from \`metadata\`:
 * \`client.chat.completions.create({ ...ask('name', { … }), messages })\`.
 */
export function ask<Name extends ModelName>(
  model: Name,
  ...[metadata]: Given<Models[Name]['metadata']>
): { model: Name; metadata?: Models[Name]['metadata'] } {
  return metadata === undefined ? { model } : { model, metadata };
}

/** The headers that a model's prompt takes values from, as an SDK's request options: \`create(body, headersFor('name', { … }))\`. */
export function headersFor<Name extends ModelName>(
  _model: Name,
  ...[headers]: Given<Models[Name]['headers']>
): { headers: Models[Name]['headers'] | Nothing } {
  return { headers: headers ?? {} };
}

/** Whether a value, such as \`error.code\` of an SDK's error, is one of the gateway's codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && (errorCodes as readonly string[]).includes(value);
}
`;

/** The same text for the same snapshot. */
export function clientText(snapshot: Snapshot): string {
  const models = sortedEntries(snapshot.models).map(([name, model]) => {
    const [metadata, headers] = (['metadata', 'header'] as const).map((sort) =>
      shape(requestFields(snapshot, model, sort)),
    );
    return `${member(name)}: { metadata: ${metadata}; headers: ${headers} }`;
  });
  const prompts = sortedEntries(snapshot.prompts).map(
    ([name, prompt]) => `${member(name)}: ${shape(promptFields(prompt))}`,
  );
  const routes = sortedEntries(snapshot.routes).map(([name, route]) => `${member(name)}: ${routeType(route)}`);
  return `/** What gateway '${snapshot.name}' serves, as types. Written by \`headgate generate client\`: generate it again instead of editing it. */

${block(`/** By the name that goes into \`model\`: what its prompt takes from the request's \`metadata\` and headers. */\nexport interface Models`, models)}
export type ModelName = keyof Models;

${block('/** The variables of each prompt, those included that the configuration fills. */\nexport interface Prompts', prompts)}
export type PromptName = keyof Prompts;

${block('/** REST routes of the gateway. */\nexport interface Routes', routes)}
export type RouteName = keyof Routes;

/** Stable codes of the gateway's errors. */
export const errorCodes = [
${clientCodes.map((code) => `  ${text(code)},\n`).join('')}] as const;

export type ErrorCode = (typeof errorCodes)[number];

${helpers}`;
}
