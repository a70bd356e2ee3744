import { consumer, defineGateway, model, provider, secret } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });
const models = { deep: { contextWindow: 8_192, kind: 'responses', prices: { input: '1', output: '2' } } } as const;
const apiKey = secret('HOUSE_API_KEY');

const plain = provider('plain', { kind: 'openai', baseUrl: 'https://llm.example.com/v1', apiKey, models });
const refused = model('refused', { targets: [plain.target('deep')] });
const full = provider('full', {
  kind: 'openai',
  baseUrl: 'https://full.example.com/v1',
  apiKey: secret('FULL_API_KEY'),
  responses: true,
  models,
});
const taken = model('taken', { targets: [full.target('deep')] });

export default defineGateway({ name: 'demo', models: [refused, taken], consumers: [team] });
