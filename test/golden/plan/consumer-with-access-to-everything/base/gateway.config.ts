import { consumer, defineGateway, model, provider, quota, secret } from 'headgate';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, maxOutputTokens: 128_000 },
    'gpt-5-mini': { contextWindow: 400_000, maxOutputTokens: 128_000 },
  },
});

const perMinute = quota('per-minute', { unit: 'requests', limit: 60, window: '1m' });

const large = model('gpt-large', { targets: [openai.target('gpt-5')] });
const small = model('gpt-small', { targets: [openai.target('gpt-5-mini')], quotas: [perMinute] });

const webShop = consumer('web-shop', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'], models: [small], quotas: [perMinute] });
const research = consumer('research', { keys: ['sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2'], models: [small] });

export default defineGateway({ name: 'acme', models: [large, small], consumers: [webShop, research] });
