/** Reads and writes complete answers of generateContent. */
import type { Answer, Finish, Json, JsonObject, Part, Usage } from '../../call.ts';
import { AnswerFailed } from '../dialect.ts';
import { writeExact } from '../exact-json.ts';
import {
  countIn,
  isObject,
  isSet,
  listIn,
  objectIn,
  parseObject,
  reportable,
  textIn,
  withoutUndefined,
} from '../json-fields.ts';
import { marked } from './signature.ts';

/** `@google/genai`, FinishReason. */
const finishes = new Map<Json | undefined, Finish>([
  ['STOP', 'stop'],
  ['MAX_TOKENS', 'length'],
  // A limit of one request, after which SDKs go on by themselves.
  ['CONTINUATION', 'length'],
  ['SAFETY', 'content_filter'],
  ['RECITATION', 'content_filter'],
  ['LANGUAGE', 'content_filter'],
  ['BLOCKLIST', 'content_filter'],
  ['PROHIBITED_CONTENT', 'content_filter'],
  ['SPII', 'content_filter'],
  ['IMAGE_SAFETY', 'content_filter'],
  ['IMAGE_PROHIBITED_CONTENT', 'content_filter'],
  ['IMAGE_RECITATION', 'content_filter'],
]);
const reasons: Readonly<Record<Finish, string>> = {
  stop: 'STOP',
  // Calls have no reason of their own here.
  tool_calls: 'STOP',
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
};

export function readFinish(reason: Json | undefined, hasToolCalls: boolean): Finish {
  const finish = finishes.get(reason) ?? 'stop';
  return finish === 'stop' && hasToolCalls ? 'tool_calls' : finish;
}

/** A call that came out malformed and the like: with nothing said before it, there is no answer. */
export const isBrokenOff = (reason: Json | undefined): boolean => isSet(reason) && !finishes.has(reason);

/** No candidates means that the prompt was blocked (ai.google.dev/api/generate-content, GenerateContentResponse). */
export function isBlocked(body: JsonObject): boolean {
  return listIn(body, 'candidates').length === 0 && isSet(objectIn(body, 'promptFeedback')?.blockReason);
}

export function readAnswer(body: JsonObject): Answer {
  if (isBlocked(body)) throw new AnswerFailed({ kind: 'content_refused' });
  const candidate = listIn(body, 'candidates')[0];
  if (!isObject(candidate)) throw new TypeError('Not an answer of generateContent: it has no candidates.');
  const id = textIn(body, 'responseId') ?? '';
  const parts = readParts(candidate, id, 0);
  const reason = candidate.finishReason;
  if (parts.length === 0 && isBrokenOff(reason)) throw new TypeError('The model broke off before it said anything.');
  return withoutUndefined<Answer>({
    id,
    model: textIn(body, 'modelVersion') ?? '',
    parts,
    finish: readFinish(
      reason,
      parts.some(({ type }) => type === 'tool_call'),
    ),
    usage: readUsage(body),
  });
}

/** Of the first candidate; `told` is how many calls of this answer came before. */
export function readParts(candidate: JsonObject, answerId: string, told: number): readonly Part[] {
  let calls = told;
  return listIn(objectIn(candidate, 'content'), 'parts').flatMap((part): readonly Part[] => {
    if (!isObject(part)) return [];
    const called = objectIn(part, 'functionCall');
    if (called) {
      calls += 1;
      return [readCalled(called, answerId, calls - 1)];
    }
    const { text } = part;
    if (typeof text !== 'string') return [opaque(part)];
    if (text === '') return [];
    const signature = textIn(part, 'thoughtSignature');
    return part.thought === true
      ? [withoutUndefined<Part>({ type: 'reasoning', text, signature })]
      : [{ type: 'text', text }];
  });
}

function readCalled(called: JsonObject, answerId: string, index: number): Part {
  const name = textIn(called, 'name');
  if (name === undefined) throw new TypeError(`Not an answer of generateContent: call ${index} has no name.`);
  // Models before version 3 leave the id out, and a result could not be matched to its call.
  const id = textIn(called, 'id') || `call_${answerId.replaceAll(/[^\w-]/g, '')}_${index}`;
  return { type: 'tool_call', id, name, arguments: writeExact(called.args ?? {}) };
}

function opaque(part: JsonObject): Part {
  const label = Object.keys(part).find((name) => name !== 'thoughtSignature' && name !== 'thought');
  return { type: 'opaque', label: label === undefined ? 'part' : reportable(label) };
}

/** Thoughts and the results of Google's own tools are counted apart (`@google/genai`, GenerateContentResponseUsageMetadata). */
export function readUsage(body: JsonObject): Usage | undefined {
  const usage = objectIn(body, 'usageMetadata');
  const prompt = countIn(usage, 'promptTokenCount');
  if (usage === undefined || prompt === undefined) return undefined;
  const thoughts = countIn(usage, 'thoughtsTokenCount');
  const inputTokens = prompt + (countIn(usage, 'toolUsePromptTokenCount') ?? 0);
  return withoutUndefined<Usage>({
    inputTokens,
    outputTokens: (countIn(usage, 'candidatesTokenCount') ?? 0) + (thoughts ?? 0),
    cachedInputTokens: countIn(usage, 'cachedContentTokenCount'),
    audioInputTokens: tokensOf(usage, 'promptTokensDetails', 'AUDIO'),
    imageInputTokens: tokensOf(usage, 'promptTokensDetails', 'IMAGE'),
    cachedAudioInputTokens: tokensOf(usage, 'cacheTokensDetails', 'AUDIO'),
    cachedImageInputTokens: tokensOf(usage, 'cacheTokensDetails', 'IMAGE'),
    reasoningTokens: thoughts,
    audioOutputTokens: tokensOf(usage, 'candidatesTokensDetails', 'AUDIO'),
    imageOutputTokens: tokensOf(usage, 'candidatesTokensDetails', 'IMAGE'),
    searches: searchesIn(body) || undefined,
  });
}

/** Of one modality (`@google/genai`, ModalityTokenCount); the others are charged alike. */
function tokensOf(usage: JsonObject, list: string, modality: string): number | undefined {
  const counts = listIn(usage, list).filter((each) => isObject(each) && each['modality'] === modality);
  return (
    counts.reduce((sum: number, each) => sum + (isObject(each) ? (countIn(each, 'tokenCount') ?? 0) : 0), 0) ||
    undefined
  );
}

/** What it asked Google, each question once; versions before 3 are charged by the prompt (ai.google.dev/gemini-api/docs/google-search). */
function searchesIn(body: JsonObject): number {
  const asked = listIn(body, 'candidates').flatMap((candidate) =>
    isObject(candidate) ? listIn(objectIn(candidate, 'groundingMetadata'), 'webSearchQueries') : [],
  );
  const questions = new Set(asked.filter((question) => question !== '')).size;
  return /^gemini-[12]\b/.test(textIn(body, 'modelVersion') ?? '') ? Math.min(1, questions) : questions;
}

export function writeUsage(usage: Usage): JsonObject {
  return withoutUndefined<JsonObject>({
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: Math.max(0, usage.outputTokens - (usage.reasoningTokens ?? 0)),
    totalTokenCount: usage.inputTokens + usage.outputTokens,
    cachedContentTokenCount: usage.cachedInputTokens,
    thoughtsTokenCount: usage.reasoningTokens,
  });
}

/** What is said of a call: undefined when its arguments are no JSON object, for the API has no other form for them. */
export function writeCalled(call: { id: string; name: string; arguments: string }): JsonObject | undefined {
  const given = call.arguments.trim() === '' ? {} : parseObject(call.arguments);
  return given && { functionCall: { id: call.id, name: call.name, args: given } };
}

/** Signatures of other vendors stay here: when the client repeats them to Google, they would be found forged. */
export function writePart(part: Part): readonly JsonObject[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }];
    case 'reasoning':
      return part.text === '' ? [] : [{ text: part.text, thought: true }];
    case 'tool_call': {
      const called = writeCalled(part);
      return called ? [called] : [];
    }
    default:
      return [];
  }
}

/** A call that came out malformed has a reason of its own, unless it was the length that broke it off. */
export function writeReason(finish: Finish, isMalformed: boolean): string {
  return isMalformed && finish !== 'length' ? 'MALFORMED_FUNCTION_CALL' : reasons[finish];
}

export function writeAnswer(answer: Answer): JsonObject {
  const parts = answer.parts.flatMap(writePart);
  const isMalformed = answer.parts.some((part) => part.type === 'tool_call' && writeCalled(part) === undefined);
  return withoutUndefined<JsonObject>({
    candidates: [candidate(parts, writeReason(answer.finish, isMalformed))],
    usageMetadata: answer.usage && writeUsage(answer.usage),
    modelVersion: answer.model,
    responseId: answer.id,
  });
}

export function candidate(parts: readonly JsonObject[], finishReason?: string): JsonObject {
  // The client repeats the calls in its next request, and that one may go to Google.
  const content = parts.length > 0 ? { role: 'model', parts: marked(parts) } : undefined;
  return withoutUndefined<JsonObject>({ content, finishReason, index: 0 });
}
