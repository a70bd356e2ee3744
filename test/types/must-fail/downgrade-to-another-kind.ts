/** A quota that sends calls of a model that chats to one that makes embeddings. */
import { model } from 'headgate';
import { hourly, openai, sparing } from './shared.ts';

model('chat', { targets: [openai.target('gpt-4.1')], quotas: [hourly, sparing] });
//                                                                    ^ "it sends calls to a model for embedding, and this one is for": "chat"
