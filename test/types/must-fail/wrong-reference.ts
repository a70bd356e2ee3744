/** A quota in the place of a context policy. */
import { model } from 'headgate';
import { hourly, openai } from './shared.ts';

model('chat', { targets: [openai.target('gpt-4.1')], context: hourly });
//                                                   ^ Type '"quota"' is not assignable to type '"context-policy"'
