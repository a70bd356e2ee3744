import { consumer, defineGateway, model, provider } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const local = provider('local', {
  kind: 'openai',
  baseUrl: 'https://llm.internal/v1',
  allowInsecureHttp: true,
  models: { llama: { contextWindow: 131_072 } },
});
const chat = model('chat', { targets: [local.target('llama')] });

export default defineGateway({ name: 'demo', models: [chat], consumers: [team] });
