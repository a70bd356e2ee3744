/**
 * Files and batches of OpenAI's API, as the `openai` package has them in resources/{files,batches}.d.ts and
 * developers.openai.com/api/docs/guides/batch describes the lines of a batch. "Your input file […] must be uploaded with the
 * purpose `batch`" (developers.openai.com/api/reference/resources/batches).
 */
import type { JsonObject } from '../call.ts';
import { CallError } from './dialect.ts';
import type { ChangeCall, Holdings } from './holdings.ts';
import { isObject, objectIn, textIn } from './json-fields.ts';
import { usageIn } from './task-fields.ts';

function changeCall(line: JsonObject, change: ChangeCall): JsonObject {
  const { url, body, method } = line;
  if (typeof url !== 'string') throw new CallError('url is missing: say where the request goes.', 'url');
  if (!isObject(body)) throw new CallError('body is missing: send the request as an object.', 'body');
  if (method !== 'POST') throw new CallError('method must be POST.', 'method');
  return { ...line, body: change({ path: url, body }) };
}

export const openaiHoldings: Holdings = {
  name: 'openai-files-and-batches',
  requests: [
    { method: 'POST', path: '/v1/files', sends: 'form' },
    { method: 'GET', path: '/v1/files', isList: true },
    { method: 'GET', path: '/v1/files/{id}' },
    { method: 'DELETE', path: '/v1/files/{id}' },
    { method: 'GET', path: '/v1/files/{id}/content', answers: 'bytes' },
    { method: 'POST', path: '/v1/batches', sends: 'json' },
    { method: 'GET', path: '/v1/batches', isList: true },
    { method: 'GET', path: '/v1/batches/{id}' },
    { method: 'POST', path: '/v1/batches/{id}/cancel' },
  ],
  ids: ['id', 'input_file_id', 'output_file_id', 'error_file_id', 'first_id', 'last_id', 'after'],
  callFiles: {
    field: 'purpose',
    value: 'batch',
    isCall: (line) => line['custom_id'] !== undefined && textIn(line, 'url') !== undefined && isObject(line['body']),
    changeCall,
  },
  readUsage: (line) => usageIn(objectIn(objectIn(line, 'response'), 'body') ?? {}),
};
