/** Reads the body of an operation beside conversations, JSON or a form with files, and keeps it as it came. */
import type { Call, JsonObject } from '../call.ts';
import { writeExact } from '../dialects/exact-json.ts';
import type { Task } from '../dialects/task.ts';
import { HeadgateError } from '../errors.ts';
import type { AcceptedTask, Identified, TaskExchange } from '../exchange.ts';
import { boundaryOf, FormError, readForm, type Form } from '../form.ts';
import { parseJson, read, refuseEncoded, refuseOtherThanJson } from './accept.ts';

type Sent = Pick<AcceptedTask, 'body' | 'payloadFor'>;

function formIn(bytes: Buffer, boundary: string): Form {
  try {
    return readForm(bytes, boundary);
  } catch (error) {
    if (error instanceof FormError)
      throw new HeadgateError('invalid_request', `The body is no plain form: ${error.message}.`);
    throw error;
  }
}

function sentForm({ says }: TaskExchange, bytes: Buffer, boundary: string): Sent {
  const form = formIn(bytes, boundary);
  const contentType = `multipart/form-data; boundary=${/^[\w'-]+$/.test(boundary) ? boundary : `"${boundary}"`}`;
  return {
    body: { ...form.fields, ...says },
    payloadFor: (model) => ({ contentType, bytes: form.with('model', model) }),
  };
}

function sentJson({ asked: { task }, says }: TaskExchange, sent: JsonObject): Sent {
  const body = { ...sent, ...says };
  const written = (model: string) => (task.rewrite ? task.rewrite(body, model) : { ...body, model });
  return {
    body,
    payloadFor: (model) => ({ contentType: 'application/json', bytes: writeExact(written(model)) }),
  };
}

async function sentBy(exchange: TaskExchange): Promise<Sent> {
  const { request, asked, readBody } = exchange;
  const boundary = asked.takesForms === true ? boundaryOf(request.headers['content-type']) : undefined;
  if (boundary === undefined) refuseOtherThanJson(request);
  refuseEncoded(request);
  const bytes = await readBody();
  return boundary === undefined ? sentJson(exchange, parseJson(bytes)) : sentForm(exchange, bytes, boundary);
}

/** Policies, prompts' values and records of what was lost know calls: to them it is one message. */
export const callOf = ({ model, parts, stream, maxOutputTokens, answers }: Task): Call => ({
  model,
  messages: [{ role: 'user', parts }],
  stream,
  ...(maxOutputTokens !== undefined && { maxOutputTokens }),
  ...(answers !== undefined && { answers }),
  tools: [],
  untranslated: [],
});

export async function acceptTask(exchange: Identified<TaskExchange>): Promise<AcceptedTask> {
  const sent = await sentBy(exchange);
  const call = callOf(read(() => exchange.asked.task.readTask(sent.body)));
  return Object.assign(exchange, { ...sent, call });
}
