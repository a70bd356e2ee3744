/** A prompt without a value for one of its variables. */
import { model } from 'headgate';
import { openai, support } from './shared.ts';

model('desk', { targets: [openai.target('gpt-4.1')], prompt: support.with({ tone: 'formal' }) });
//                                                                        ^ Property 'name' is missing
