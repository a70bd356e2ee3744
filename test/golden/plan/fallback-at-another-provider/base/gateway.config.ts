import { consumer, defineGateway, model, provider, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, maxOutputTokens: 128_000 },
    'gpt-5-mini': { contextWindow: 400_000, maxOutputTokens: 128_000 },
  },
});

const assistant = model('assistant', { targets: [openai.target('gpt-5', { timeout: '30s' }), openai.target('gpt-5-mini')] });
const payroll = model('payroll', { targets: [openai.target('gpt-5')] });

const staff = consumer('staff', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'] });

export default defineGateway({ name: 'acme', models: [assistant, payroll], consumers: [staff] });
