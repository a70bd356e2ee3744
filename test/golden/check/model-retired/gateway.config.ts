import { consumer, defineGateway, model, provider, secret } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_API_KEY'),
  models: { 'gpt-4-turbo': {}, 'gpt-6-sol': {} },
});

// Somebody else's model of that name may be served for ever.
const mirror = provider('mirror', {
  kind: 'openai',
  baseUrl: 'https://llm.example.com/v1',
  apiKey: secret('MIRROR_KEY'),
  models: { 'gpt-4-turbo': {} },
});
// One account, two models: said once for each.
const europe = provider('europe', {
  kind: 'openai',
  organization: 'org-europe',
  apiKey: secret('EUROPE_KEY'),
  models: { o1: {}, 'o3-mini': {} },
});

const chat = model('chat', { targets: [openai.target('gpt-6-sol'), openai.target('gpt-4-turbo'), mirror.target('gpt-4-turbo')] });
const old = model('old', { targets: [europe.target('o1'), openai.target('gpt-4-turbo')] });
const older = model('older', { targets: [europe.target('o3-mini'), openai.target('gpt-6-sol')] });

export default defineGateway({
  name: 'demo',
  models: [chat, old, older],
  consumers: [team],
  accept: [{ code: 'model_retired', in: europe, reason: 'the vendor serves us both until the end of the contract' }],
});
