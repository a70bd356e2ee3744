import { consumer, defineGateway, model, provider, secret } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const proxied = provider('proxied', {
  kind: 'openai',
  baseUrl: 'https://llm.example.com/v1/chat/completions',
  apiKey: secret('PROXY_KEY'),
  models: { 'gpt-6-sol': { contextWindow: 400_000 } },
});
const openai = provider('openai', {
  kind: 'openai',
  baseUrl: 'https://api.openai.com',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-6-sol': { contextWindow: 400_000 } },
});

const chat = model('chat', { targets: [proxied.target('gpt-6-sol'), openai.target('gpt-6-sol')] });

export default defineGateway({ name: 'demo', models: [chat], consumers: [team] });
