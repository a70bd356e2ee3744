import { consumer, defineGateway, model, provider, secret } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const house = provider('house', {
  kind: 'openai',
  baseUrl: 'https://models.example.com/v1',
  apiKey: secret('HOUSE_KEY'),
  models: {
    large: { contextWindow: 131_072 },
    small: { contextWindow: 131_072, prices: { input: '0.1', output: '0.4' } },
    free: { contextWindow: 8_192, prices: { input: '0', output: '0' } },
  },
});

// What the catalogue knows needs no price, nor does what answers at home.
const openai = provider('openai', { kind: 'openai', apiKey: secret('OPENAI_API_KEY'), models: { 'gpt-6-sol': {} } });
const local = provider('local', {
  kind: 'openai',
  baseUrl: 'http://ollama.internal:11434/v1',
  models: { llama: { contextWindow: 131_072 } },
});
const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });

const chat = model('chat', { targets: [openai.target('gpt-6-sol'), house.target('large'), house.target('small')] });
const spare = model('spare', { targets: [local.target('llama'), house.target('large'), house.target('free')] });
const demo = model('demo', { targets: [sandbox.target('echo')] });

export default defineGateway({ name: 'demo', models: [chat, spare, demo], consumers: [team] });
