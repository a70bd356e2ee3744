import { consumer, contextPolicy, defineGateway, model, provider, secret } from 'headgate';

const mistral = provider('mistral', {
  kind: 'openai',
  baseUrl: 'https://api.mistral.ai/v1',
  apiKey: secret('MISTRAL_API_KEY'),
  models: { 'ministral-8b-latest': { contextWindow: 128_000 } },
});

const recentTurns = contextPolicy('recent-turns', { kind: 'quantisedCut', target: 'window', reserveOutput: 8_000 });

const assistant = model('assistant', { targets: [mistral.target('ministral-8b-latest')], context: recentTurns });
const summaries = model('summaries', { targets: [mistral.target('ministral-8b-latest')] });
const tags = model('tags', { targets: [mistral.target('ministral-8b-latest')] });

const webShop = consumer('web-shop', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'] });

export default defineGateway({ name: 'acme', models: [assistant, summaries, tags], consumers: [webShop] });
