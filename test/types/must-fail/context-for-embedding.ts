/** An embedding has no conversation to keep in a window. */
import { model } from 'headgate';
import { long, openai } from './shared.ts';

model('search', { targets: [openai.target('text-embedding-3-small')], context: long });
//                                                                    ^ "a context policy means nothing in a model for": "embedding"
