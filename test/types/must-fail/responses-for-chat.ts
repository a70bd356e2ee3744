/** A model that its vendor only serves behind another API. */
import { model } from 'headgate';
import { openai } from './shared.ts';

model('chat', { targets: [openai.target('gpt-5-pro')] });
//                        ^ "openai/gpt-5-pro is no model for": "chat"
