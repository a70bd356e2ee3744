import { provider, secret } from 'headgate';

export const house = provider('house', {
  kind: 'openai',
  baseUrl: 'https://models.example.com/v1',
  apiKey: secret('HOUSE_KEY'),
  models: {
    plain: { contextWindow: 8_192, prices: { input: '0.1', output: '0.4' } },
    able: { contextWindow: 8_192, prices: { input: '0.1', output: '0.4' }, capabilities: ['tools'] },
    vectors: { contextWindow: 8_192, prices: { input: '0.1', output: '0' }, kind: 'embedding' },
  },
});
export const openai = provider('openai', { kind: 'openai', apiKey: secret('KEY'), models: { 'gpt-6-sol': {} } });
