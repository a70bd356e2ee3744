/** The OpenAI chat completions dialect, for clients and for vendors. */
import type { JsonObject } from '../call.ts';
import type { ClientDialect, VendorDialect } from './dialect.ts';
import { readAnswer, writeAnswer } from './openai-chat/answer.ts';
import { inVendorsWords, type Quirks } from './openai-chat/quirks.ts';
import { readCall, wantsStreamUsage } from './openai-chat/read-call.ts';
import { eventReader, eventWriter, notableWith, sse } from './openai-chat/stream.ts';
import { rewrite, writeCall } from './openai-chat/write-call.ts';
import { readFailure, writeError } from './openai-errors.ts';

export const openaiChat: ClientDialect & VendorDialect = {
  name: 'openai-chat',
  readCall,
  rewrite,
  wantsStreamUsage,
  writeCall: (call, options) => writeCall(call, options),
  readAnswer,
  writeAnswer,
  eventReader: () => eventReader(),
  notable: notableWith(),
  eventWriter,
  readFailure,
  writeError,
  writeErrorEvent: (error) => sse(writeError(error)),
};

export type { Quirks } from './openai-chat/quirks.ts';

/** The same dialect in the mouth of a vendor that has its own ways: a client that speaks it is still passed through. */
export const openaiChatWith = (quirks: Quirks): VendorDialect => ({
  name: openaiChat.name,
  writeCall: (call, options) => writeCall(call, options, quirks),
  readAnswer,
  eventReader: () => eventReader(quirks),
  notable: notableWith(quirks),
  readFailure,
});

/** The last touch to a body before it is sent to such a vendor, whoever wrote it: the same under the names it knows. */
export const wordedFor = (quirks: Quirks, body: JsonObject): JsonObject => inVendorsWords(body, quirks);
