import { consumer, defineGateway, model, provider, secret } from 'headgate';
import { noConfidential } from './policies/guards.ts';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: {
    'gpt-5': { contextWindow: 400_000, maxOutputTokens: 128_000 },
    'gpt-5-mini': { contextWindow: 400_000, maxOutputTokens: 128_000 },
  },
});

const assistant = model('assistant', { targets: [openai.target('gpt-5')], policies: [noConfidential] });
const drafts = model('drafts', { targets: [openai.target('gpt-5-mini')] });
const code = model('code', { targets: [openai.target('gpt-5')], policies: [noConfidential] });

const clinic = consumer('clinic', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'] });

export default defineGateway({ name: 'acme', models: [assistant, drafts, code], consumers: [clinic] });
