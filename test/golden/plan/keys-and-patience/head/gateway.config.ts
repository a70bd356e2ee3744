import { consumer, defineGateway, model, provider, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKeys: [secret('OPENAI_API_KEY'), secret('OPENAI_API_KEY_2', { optional: true })],
  models: { 'gpt-5': { contextWindow: 400_000 } },
});
const groq = provider('groq', {
  kind: 'openai',
  baseUrl: 'https://api.groq.com/openai/v1',
  apiKeys: [secret('GROQ_A'), secret('GROQ_C')],
  models: { 'llama-70b': { contextWindow: 128_000 } },
});

const chat = model('chat', { targets: [openai.target('gpt-5', { firstTokenTimeout: '5s', maxConcurrency: 8 }), groq.target('llama-70b')], deadline: '2m', hedge: '3s' });
const draft = model('draft', { targets: [groq.target('llama-70b')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

export default defineGateway({ name: 'demo', models: [chat, draft], consumers: [team] });
