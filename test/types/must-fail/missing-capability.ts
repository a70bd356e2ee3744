/** A fallback without a capability that the model needs. */
import { model } from 'headgate';
import { openai, sandbox } from './shared.ts';

model('agent', {
  needs: ['tools', 'images'],
  targets: [openai.target('gpt-4.1'), sandbox.target('small')],
  //                                  ^ "sandbox/small lacks": "images"
});
