/** Two members of a group that cannot do what is needed are one error, about the group. */
import { model, ordered } from 'headgate';
import { openai, sandbox } from './shared.ts';

const both = ordered(sandbox.target('small'), openai.target('our-own'));
model('agent', { needs: ['images'], targets: [openai.target('gpt-4.1'), both] });
//                                                                      ^ lacks": "images"
