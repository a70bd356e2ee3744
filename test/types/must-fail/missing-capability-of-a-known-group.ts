/** A group with a name of its own is checked like one written in place. */
import { model, ordered } from 'headgate';
import { openai, sandbox } from './shared.ts';

const spread = ordered(openai.target('gpt-4.1'), sandbox.target('small'));
model('agent', { needs: ['images'], targets: [spread] });
//                                            ^ "sandbox/small lacks": "images"
