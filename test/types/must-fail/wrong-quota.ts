/** Something else in the place of a quota. */
import { model } from 'headgate';
import { block, hourly, openai } from './shared.ts';

model('chat', { targets: [openai.target('gpt-4.1')], quotas: [hourly, block] });
//                                                                    ^ Type '"policy"' is not assignable to type '"quota"'
