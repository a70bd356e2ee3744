import { consumer, defineGateway, model, provider, secret } from 'headgate';

const prices = { input: '1', output: '5' } as const;
// At the vendor's own endpoint an id that the catalogue does not know is most likely misspelt.
const anthropic = provider('anthropic', {
  kind: 'anthropic',
  apiKey: secret('ANTHROPIC_KEY'),
  models: { 'claude-haiku-4-5': {}, 'claude-haiku-9': { contextWindow: 200_000 } },
});
// Nothing that is known comes near, and the configuration accepts it.
const openai = provider('openai', {
  kind: 'openai',
  apiKey: secret('OPENAI_KEY'),
  models: { 'ft:house-style': { contextWindow: 128_000, prices } },
});
// Somebody else who speaks the dialect serves what they like.
const own = provider('own', {
  kind: 'openai',
  baseUrl: 'https://models.example.com/v1',
  apiKey: secret('OWN_KEY'),
  models: { 'house-model': { contextWindow: 32_000, prices } },
});
const chat = model('chat', {
  targets: [
    anthropic.target('claude-haiku-9'),
    anthropic.target('claude-haiku-4-5'),
    openai.target('ft:house-style'),
    own.target('house-model'),
  ],
});
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

export default defineGateway({
  name: 'demo',
  models: [chat],
  consumers: [team],
  accept: [{ code: 'model_unknown', in: openai, reason: 'our own fine-tuned model' }],
});
