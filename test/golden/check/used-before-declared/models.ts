import { model } from 'headgate';
import { sandbox } from './gateway.config.ts';

export const echo = model('echo', { targets: [sandbox.target('echo')] });
