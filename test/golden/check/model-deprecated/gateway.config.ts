import { consumer, defineGateway, model, provider, secret } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-5-mini': {} },
});

// The address of the vendor, spelled out.
const anthropic = provider('anthropic', {
  kind: 'anthropic',
  baseUrl: 'https://api.anthropic.com',
  apiKey: secret('ANTHROPIC_API_KEY'),
  models: { 'claude-sonnet-4-5': {}, 'claude-opus-5-5': {} },
});

const chat = model('chat', {
  targets: [anthropic.target('claude-opus-5-5'), openai.target('gpt-5-mini'), anthropic.target('claude-sonnet-4-5')],
});

export default defineGateway({ name: 'demo', models: [chat], consumers: [team] });
