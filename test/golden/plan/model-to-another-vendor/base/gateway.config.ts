import { consumer, contextPolicy, defineGateway, model, provider, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, maxOutputTokens: 128_000 },
    'gpt-5-nano': { contextWindow: 400_000, maxOutputTokens: 128_000 },
  },
});

const mistral = provider('mistral', {
  kind: 'openai',
  baseUrl: 'https://api.mistral.ai/v1',
  apiKey: secret('MISTRAL_API_KEY'),
  models: { 'ministral-8b-latest': { contextWindow: 128_000 } },
});

const recentTurns = contextPolicy('recent-turns', { kind: 'quantisedCut', target: 'window', reserveOutput: 8_000 });

const assistant = model('assistant', { targets: [openai.target('gpt-5')], context: recentTurns });
const summaries = model('summaries', { targets: [openai.target('gpt-5-nano')] });
const tags = model('tags', { targets: [mistral.target('ministral-8b-latest')] });

const webShop = consumer('web-shop', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'] });

export default defineGateway({ name: 'acme', models: [assistant, summaries, tags], consumers: [webShop] });
