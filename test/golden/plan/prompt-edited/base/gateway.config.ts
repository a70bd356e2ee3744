import { consumer, defineGateway, from, model, provider, secret } from 'headgate';
import { support } from './prompts/support.ts';

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-5-mini': { contextWindow: 400_000 } },
});

const supportDesk = model('support-desk', {
  targets: [openai.target('gpt-5-mini')],
  prompt: support.with({ customer: from.metadata('customer', { default: 'our customer' }), tone: 'formal' }),
});
const shopHelp = model('shop-help', {
  targets: [openai.target('gpt-5-mini')],
  prompt: support.with({ customer: 'a visitor of the shop', tone: 'friendly' }),
});

const webShop = consumer('web-shop', { keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'], models: [supportDesk, shopHelp] });

export default defineGateway({ name: 'acme', models: [supportDesk, shopHelp], consumers: [webShop] });
