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
const assistant = model('assistant', { targets: [openai.target('gpt-5')], quotas: [perMinute] });

const webShop = consumer('web-shop', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'] });
const mobile = consumer('mobile', { keys: ['sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2'] });
const kiosk = consumer('kiosk', { keys: ['sha256:c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3', 'sha256:c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4'], models: [assistant] });
const partner = consumer('partner', { keys: ['sha256:d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5', 'sha256:d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6d6'] });

export default defineGateway({ name: 'acme', models: [assistant], consumers: [webShop, mobile, kiosk, partner] });
