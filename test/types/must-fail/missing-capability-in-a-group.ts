/** A member of a nested group without a capability that the model needs; the message names it. */
import { model, ordered, weighted } from 'headgate';
import { openai, sandbox } from './shared.ts';

const main = { weight: 9, target: openai.target('gpt-4.1') };
const rest = { weight: 1, target: ordered(sandbox.target('large'), sandbox.target('small')) };
model('agent', { needs: ['images'], targets: [sandbox.target('large'), weighted(main, rest)] });
//                                                                     ^ "sandbox/small lacks": "images"
