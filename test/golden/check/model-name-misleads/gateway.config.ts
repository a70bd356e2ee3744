import { consumer, defineGateway, model, provider, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-5': { contextWindow: 400_000 } },
});
const anthropic = provider('anthropic', {
  kind: 'anthropic',
  apiKey: secret('ANTHROPIC_API_KEY'),
  models: { 'claude-opus': { contextWindow: 200_000 } },
});
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const renamed = model('gpt-5', { targets: [anthropic.target('claude-opus')] });
const chat = model('chat', { targets: [openai.target('gpt-5'), anthropic.target('claude-opus')] });

export default defineGateway({ name: 'demo', models: [renamed, chat], consumers: [team] });
