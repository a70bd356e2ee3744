/** The OpenAI Responses API, for clients and for vendors. What a vendor keeps between two requests passes natively and only so. */
import type { ClientDialect, VendorDialect, WireError } from './dialect.ts';
import { isList } from './json-fields.ts';
import { readFailure, writeError } from './openai-errors.ts';
import { readAnswer, readCount } from './openai-responses/answer.ts';
import { eventReader } from './openai-responses/event-reader.ts';
import { eventWriter, sse } from './openai-responses/event-writer.ts';
import { readCall } from './openai-responses/read-call.ts';
import { writeAnswer } from './openai-responses/write-answer.ts';
import { isForeign } from './openai-responses/reasoning.ts';
import { rewrite, writeCall } from './openai-responses/write-call.ts';

export const openaiResponses: ClientDialect & VendorDialect = {
  name: 'openai-responses',
  readCall,
  rewrite,
  leavesOut: ({ input }) => (isList(input) && input.some(isForeign) ? ['reasoning'] : []),
  // The last event of a stream always has it.
  wantsStreamUsage: () => true,
  writeCall,
  readAnswer,
  writeAnswer,
  eventReader,
  eventWriter,
  readCount,
  readFailure,
  writeError,
  writeErrorEvent,
};

/** In both shapes: clients read the members at the top, as documented, or under `error`, as the vendor sends them (openai-dotnet#881). */
function writeErrorEvent(error: WireError): string {
  const { code, message, param = null, type } = error;
  return sse({ type: 'error', sequence_number: 0, code, message, param, error: { type, code, message, param } });
}
