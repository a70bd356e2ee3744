/** The OpenAI chat completions dialect, for clients and for vendors. */
import type { ClientDialect, VendorDialect } from './dialect.ts';
import { readAnswer, writeAnswer } from './openai-chat/answer.ts';
import { readFailure, writeError } from './openai-errors.ts';
import { readCall, wantsStreamUsage } from './openai-chat/read-call.ts';
import { eventReader, eventWriter, sse } from './openai-chat/stream.ts';
import { rewrite, writeCall } from './openai-chat/write-call.ts';

export const openaiChat: ClientDialect & VendorDialect = {
  name: 'openai-chat',
  readCall,
  rewrite,
  wantsStreamUsage,
  writeCall,
  readAnswer,
  writeAnswer,
  eventReader,
  eventWriter,
  readFailure,
  writeError,
  writeErrorEvent: (error) => sse(writeError(error)),
};
