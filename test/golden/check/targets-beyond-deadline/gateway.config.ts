import { consumer, defineGateway, model, provider, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-6-sol': { contextWindow: 400_000 } },
});
const anthropic = provider('anthropic', {
  kind: 'anthropic',
  apiKey: secret('ANTHROPIC_API_KEY'),
  models: { 'claude-opus-5-5': { contextWindow: 200_000 } },
});
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const chat = model('chat', {
  targets: [openai.target('gpt-6-sol', { timeout: '45s' }), anthropic.target('claude-opus-5-5')],
  deadline: '30s',
});

export default defineGateway({ name: 'demo', models: [chat], consumers: [team] });
