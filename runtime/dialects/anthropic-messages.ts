/** Anthropic's Messages API, for vendors. A client side joins this object with the functions of `ClientDialect`. */
import type { VendorDialect } from './dialect.ts';
import { readAnswer } from './anthropic-messages/answer.ts';
import { readFailure } from './anthropic-messages/errors.ts';
import { eventReader } from './anthropic-messages/stream.ts';
import { writeCall } from './anthropic-messages/write-call.ts';

export const anthropicMessages: VendorDialect = {
  name: 'anthropic-messages',
  writeCall,
  readAnswer,
  eventReader,
  readFailure,
};
