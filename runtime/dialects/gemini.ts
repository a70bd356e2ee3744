/** Google's generateContent API, for clients and for vendors. The shapes are those of ai.google.dev/api/generate-content and of `@google/genai`. */
import type { ClientDialect, VendorDialect } from './dialect.ts';
import { readAnswer, writeAnswer } from './gemini/answer.ts';
import { readCount, readCounted, rewriteCounted } from './gemini/count.ts';
import { readFailure, writeError } from './gemini/errors.ts';
import { readCall } from './gemini/read-call.ts';
import { eventReader, eventWriter, notable, sse } from './gemini/stream.ts';
import { rewrite, writeCall } from './gemini/write-call.ts';

export const gemini: ClientDialect & VendorDialect = {
  name: 'gemini',
  readCall,
  rewrite,
  // Every stream of this API ends with the usage.
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
  writeErrorEvent: (error) => sse(writeError(error)),
};

/** The same for bodies that are only counted. */
export const geminiCount: ClientDialect = { ...gemini, readCall: readCounted, rewrite: rewriteCounted };
