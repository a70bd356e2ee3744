/** A context policy that aims above the window of a fallback. */
import { model } from 'headgate';
import { long, openai, sandbox } from './shared.ts';

model('chat', { targets: [openai.target('gpt-4.1'), sandbox.target('small')], context: long });
//                                                                            ^ "6000 tokens do not fit sandbox/small, whose window is": 4096
