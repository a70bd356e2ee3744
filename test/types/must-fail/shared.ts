/** What the mistakes beside this file are made with. Sound by itself. */
import { contextPolicy, model, policy, prompt, provider, quota, secret } from 'headgate';

export const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-4.1': {}, 'gpt-5-pro': {}, 'text-embedding-3-small': {}, 'our-own': { contextWindow: 32_000 } },
});
export const sandbox = provider('sandbox', {
  kind: 'sandbox',
  models: {
    small: { contextWindow: 4_096, capabilities: ['tools'] },
    large: { contextWindow: 128_000, capabilities: ['tools', 'images'], prices: { input: '0.5', output: '1.5' } },
  },
});
export const hourly = quota('hourly', { unit: 'requests', limit: 10, window: '1h' });
export const monthly = quota('monthly', { unit: 'usd', limit: '250.00', window: { calendar: 'month' } });
const search = model('search', { targets: [openai.target('text-embedding-3-small')] });
export const sparing = quota('sparing', {
  unit: 'tokens',
  limit: 9_000,
  window: '1d',
  downgrade: { at: 0.8, to: search },
});
export const long = contextPolicy('long', { kind: 'quantisedCut', target: 6_000 });
export const block = policy('block', { kind: 'blockTerms', terms: ['never'] });
export const support = prompt('support', {
  system: 'Help {{name}} in a {{tone}} tone',
  choices: { tone: ['formal', 'casual'] },
});
