import { consumer, defineGateway, model, provider, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, maxOutputTokens: 128_000 },
    'gpt-5-mini': { contextWindow: 400_000, maxOutputTokens: 128_000 },
  },
});
const deepseek = provider('deepseek', {
  kind: 'openai',
  baseUrl: 'https://api.deepseek.com/v1',
  apiKey: secret('DEEPSEEK_API_KEY', { optional: true }),
  models: { 'deepseek-chat': { contextWindow: 128_000 } },
});

const assistant = model('assistant', {
  targets: [
    openai.target('gpt-5', { timeout: '10s', retries: 1 }),
    openai.target('gpt-5-mini'),
    deepseek.target('deepseek-chat'),
  ],
});
const payroll = model('payroll', { targets: [openai.target('gpt-5'), deepseek.target('deepseek-chat')] });

const staff = consumer('staff', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'] });

export default defineGateway({ name: 'acme', models: [assistant, payroll], consumers: [staff] });
