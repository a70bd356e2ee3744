/** The OpenAI Responses API, for clients and for vendors. What a vendor keeps between two requests passes natively and only so. */
import type { JsonObject } from '../call.ts';
import type { ClientDialect, VendorDialect, WireError } from './dialect.ts';
import { isList } from './json-fields.ts';
import { readFailure, writeError } from './openai-errors.ts';
import { readAnswer, readCount } from './openai-responses/answer.ts';
import { eventReader, notable } from './openai-responses/event-reader.ts';
import { eventWriter, sse } from './openai-responses/event-writer.ts';
import { inVendorsWords, narrowed, type Quirks } from './openai-responses/quirks.ts';
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
  notable,
  eventWriter,
  readCount,
  readFailure,
  writeError,
  writeErrorEvent,
};

export type { Quirks } from './openai-responses/quirks.ts';

/** The same dialect in the mouth of a vendor that has its own ways: a client that speaks it is still passed through. */
export const openaiResponsesWith = (quirks: Quirks): VendorDialect => ({
  name: openaiResponses.name,
  writeCall(call, options) {
    const dropped = new Set<string>();
    const written = writeCall(narrowed(call, quirks, dropped), options);
    const { include, ...rest } = written.body;
    const body = quirks.include === false || include === undefined ? rest : written.body;
    return { body, dropped: [...new Set([...written.dropped, ...dropped])] };
  },
  readAnswer,
  eventReader,
  notable,
  readFailure,
});

/** The last touch to a body before it is sent to such a vendor, whoever wrote it: the same under the names it knows. */
export const wordedFor = (quirks: Quirks, body: JsonObject): JsonObject => inVendorsWords(body, quirks);

/** In both shapes: clients read the members at the top, as documented, or under `error`, as the vendor sends them (openai-dotnet#881). */
function writeErrorEvent(error: WireError): string {
  const { code, message, param = null, type } = error;
  return sse({ type: 'error', sequence_number: 0, code, message, param, error: { type, code, message, param } });
}
