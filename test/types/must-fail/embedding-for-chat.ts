/** A model that only makes embeddings. */
import { model } from 'headgate';
import { openai, sandbox } from './shared.ts';

model('chat', { targets: [sandbox.target('large'), openai.target('text-embedding-3-small')] });
//                                                 ^ "openai/text-embedding-3-small is no model for": "chat"
