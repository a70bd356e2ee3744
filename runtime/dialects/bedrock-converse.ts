/** Amazon Bedrock's Converse API, for vendors (docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html). */
import type { VendorDialect } from './dialect.ts';
import { readAnswer } from './bedrock-converse/answer.ts';
import { readFailure } from './bedrock-converse/errors.ts';
import { frames } from './bedrock-converse/frames.ts';
import { eventReader } from './bedrock-converse/stream.ts';
import { writeCall } from './bedrock-converse/write-call.ts';

export const bedrockConverse: VendorDialect = {
  name: 'bedrock-converse',
  writeCall,
  readAnswer,
  eventReader,
  frames,
  readFailure,
};
