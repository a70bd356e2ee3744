import { consumer, defineGateway, model, provider, secret } from 'headgate';

const seal = secret('FILES_SEAL');
const openai = provider('openai', { kind: 'openai', apiKey: secret('OPENAI_API_KEY'), files: { seal, sole: true }, models: { 'gpt-6-luna': {} } });
const anthropic = provider('anthropic', { kind: 'anthropic', apiKey: secret('ANTHROPIC_API_KEY'), models: { 'claude-haiku-4-5': {} } });
const sandbox = provider('sandbox', { kind: 'sandbox', files: { seal }, models: { echo: { contextWindow: 8_192 } } });

const chat = model('chat', { targets: [openai.target('gpt-6-luna'), anthropic.target('claude-haiku-4-5')] });
const echo = model('echo', { targets: [sandbox.target('echo')] });

const reports = consumer('reports', {
  keys: ['sha256:7ad1e6b0a3f4b8f5a1c0f1b6f9f0b1d1c8b8b0e8f5a3a1e2d4c6b8a09f7e5d3c'],
  files: [openai],
});
const partner = consumer('partner', {
  keys: ['sha256:0c5cf1f1a9d1f6f4c2a4d0b0b1f1e6f3a5b7c9d8e2f4a6b8c0d2e4f6a8b0c2d4'],
  files: [anthropic, openai],
});

export default defineGateway({ name: 'demo', models: [chat, echo], consumers: [reports, partner] });
