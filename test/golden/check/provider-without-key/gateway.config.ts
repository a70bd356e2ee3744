import { consumer, defineGateway, model, provider } from 'headgate';

const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const groq = provider('groq', {
  kind: 'openai',
  baseUrl: 'https://api.groq.com/openai/v1',
  models: { llama: { contextWindow: 131_072 } },
});
const local = provider('local', {
  kind: 'openai',
  baseUrl: 'http://ollama.internal:11434/v1',
  models: { llama: { contextWindow: 131_072 } },
});

const chat = model('chat', { targets: [local.target('llama'), groq.target('llama')] });

export default defineGateway({ name: 'demo', models: [chat], consumers: [team] });
