/** A name that nothing declares. */
import { model } from 'headgate';
import { hourly, openai } from './shared.ts';

model('chat', { targets: [opnai.target('gpt-4.1')], quotas: [hourly] });
//                        ^ Did you mean 'openai'?
