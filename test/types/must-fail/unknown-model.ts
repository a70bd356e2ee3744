/** A model that the provider does not declare. */
import { model } from 'headgate';
import { openai } from './shared.ts';

model('chat', { targets: [openai.target('gpt-6')] });
//                                      ^ "gpt-4.1" | "gpt-5-pro" | "our-own" | "text-embedding-3-small"
