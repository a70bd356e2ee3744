/** Anthropic's Messages API, for clients and for vendors. */
import type { ClientDialect, VendorDialect } from './dialect.ts';
import { readAnswer, readCount } from './anthropic-messages/answer.ts';
import { readFailure, writeError } from './anthropic-messages/errors.ts';
import { eventWriter, sse } from './anthropic-messages/event-writer.ts';
import { readCall, readInput } from './anthropic-messages/read-call.ts';
import { rewrite } from './anthropic-messages/rewrite.ts';
import { eventReader, notable } from './anthropic-messages/stream.ts';
import { unsignedIn } from './anthropic-messages/unsigned.ts';
import { writeAnswer } from './anthropic-messages/write-answer.ts';
import { writeCall } from './anthropic-messages/write-call.ts';

export const anthropicMessages: ClientDialect & VendorDialect = {
  name: 'anthropic-messages',
  readCall,
  rewrite,
  leavesOut: unsignedIn,
  wantsStreamUsage: () => true,
  writeCall,
  readAnswer,
  writeAnswer,
  eventReader,
  notable,
  eventWriter,
  readCount,
  readFailure,
  writeError,
  writeErrorEvent: (error) => sse({ ...writeError(error), type: 'error' }),
};

/** The same for bodies that are only counted. */
export const anthropicCount: ClientDialect = { ...anthropicMessages, readCall: readInput };
