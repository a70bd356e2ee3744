import { consumer, defineGateway, model, provider, secret, weighted } from 'headgate';
import { recentTurns } from './policies/context.ts';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, maxOutputTokens: 128_000 },
    'gpt-5-mini': { contextWindow: 400_000, maxOutputTokens: 128_000 },
  },
});

const anthropic = provider('anthropic', {
  kind: 'anthropic',
  apiKey: secret('ANTHROPIC_API_KEY'),
  models: { 'claude-haiku-4-5': { contextWindow: 200_000, maxOutputTokens: 64_000 } },
});

const assistant = model('assistant', {
  targets: [
    weighted(
      { weight: 90, target: openai.target('gpt-5') },
      { weight: 10, target: anthropic.target('claude-haiku-4-5') },
    ),
    openai.target('gpt-5-mini'),
  ],
  context: recentTurns,
});
const search = model('search', { targets: [openai.target('gpt-5-mini')], context: recentTurns });

const webShop = consumer('web-shop', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'] });

export default defineGateway({ name: 'acme', models: [assistant, search], consumers: [webShop] });
