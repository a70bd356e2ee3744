/** A value that is not one of the words a variable may be. */
import { model } from 'headgate';
import { openai, support } from './shared.ts';

model('desk', { targets: [openai.target('gpt-4.1')], prompt: support.with({ name: 'Ada', tone: 'rude' }) });
//                                                                                       ^ "casual" | "formal"
