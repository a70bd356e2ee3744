import { consumer, defineGateway, model, provider, quota, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, maxOutputTokens: 128_000 },
    'gpt-5-mini': { contextWindow: 400_000, maxOutputTokens: 128_000 },
  },
});

// What a free account may ask for, and what the whole house may spend.
const free = quota('free', { unit: 'requests', limit: 20, window: '1h' });
const house = quota('house', { unit: 'requests', limit: 200_000, window: '1d', scope: 'gateway' });

const assistant = model('assistant', { targets: [openai.target('gpt-5-mini')], quotas: [house] });
const writer = model('writer', { targets: [openai.target('gpt-5')], quotas: [house] });

const trial = consumer('trial', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'], models: [assistant], quotas: [free] });
const students = consumer('students', { keys: ['sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2'], models: [assistant, writer], quotas: [free] });
const staff = consumer('staff', { keys: ['sha256:c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3'] });

export default defineGateway({ name: 'acme', models: [assistant, writer], consumers: [trial, students, staff] });
