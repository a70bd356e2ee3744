import { consumer, defineGateway, model, provider, secret } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const both = provider('both', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  apiKeys: [secret('OPENAI_API_KEY_2')],
  models: { 'gpt-6-sol': { contextWindow: 400_000 } },
});
const twice = provider('twice', {
  kind: 'anthropic',
  apiKeys: [secret('ANTHROPIC_API_KEY'), secret('ANTHROPIC_API_KEY')],
  models: { 'claude-opus-5-5': { contextWindow: 200_000 } },
});
const fine = provider('fine', {
  kind: 'openai',
  baseUrl: 'https://api.groq.com/openai/v1',
  apiKeys: [secret('GROQ_API_KEY'), secret('HEADGATE_GROQ', { optional: true })],
  models: { 'llama-70b': { contextWindow: 128_000, prices: { input: '0.5', output: '1' } } },
});
const waiting = provider('waiting', {
  kind: 'openai',
  baseUrl: 'https://api.mistral.ai/v1',
  apiKeys: [secret('MISTRAL_A', { optional: true }), secret('MISTRAL_B', { optional: true })],
  models: { large: { contextWindow: 128_000, prices: { input: '2', output: '6' } } },
});

const chat = model('chat', {
  targets: [both.target('gpt-6-sol'), twice.target('claude-opus-5-5', { firstTokenTimeout: '5s' }), fine.target('llama-70b')],
});
const draft = model('draft', { targets: [waiting.target('large')] });

export default defineGateway({ name: 'demo', models: [chat, draft], consumers: [team] });
