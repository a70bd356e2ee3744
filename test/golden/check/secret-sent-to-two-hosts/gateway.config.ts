import { consumer, defineGateway, model, provider, secret } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-6-sol': { contextWindow: 400_000 } },
});
const mirror = provider('mirror', {
  kind: 'openai',
  baseUrl: 'https://llm.example.com/v1',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-6-sol': { contextWindow: 400_000 } },
});

const chat = model('chat', { targets: [openai.target('gpt-6-sol'), mirror.target('gpt-6-sol')] });

export default defineGateway({ name: 'demo', models: [chat], consumers: [team] });
