/** A fallback that chats where the model makes embeddings. */
import { model } from 'headgate';
import { openai } from './shared.ts';

model('search', { targets: [openai.target('text-embedding-3-small'), openai.target('gpt-4.1')] });
//                                                                   ^ "openai/gpt-4.1 is no model for": "embedding"
