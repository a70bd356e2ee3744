/** A need that does not exist. */
import { model } from 'headgate';
import { openai } from './shared.ts';

model('agent', { needs: ['tols'], targets: [openai.target('gpt-4.1')] });
//                       ^ Did you mean '"tools"'?
