import { consumer, defineGateway, model, provider, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-5': { contextWindow: 400_000 } },
});
const groq = provider('groq', {
  kind: 'openai',
  baseUrl: 'https://api.groq.com/openai/v1',
  apiKeys: [secret('GROQ_A'), secret('GROQ_B')],
  models: { 'llama-70b': { contextWindow: 128_000 } },
});

const chat = model('chat', { targets: [openai.target('gpt-5'), groq.target('llama-70b', { firstTokenTimeout: '10s' })] });
const draft = model('draft', { targets: [groq.target('llama-70b')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

export default defineGateway({ name: 'demo', models: [chat, draft], consumers: [team] });
