/** A quota that counts money over a model whose price nobody knows. */
import { model } from 'headgate';
import { hourly, monthly, openai } from './shared.ts';

model('chat', { targets: [openai.target('gpt-4.1'), openai.target('our-own')], quotas: [monthly] });
//                                                                                      ^ "openai/our-own has no price for a quota in": "usd"
