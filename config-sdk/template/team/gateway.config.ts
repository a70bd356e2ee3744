/** What this gateway serves. Change it, run `npx --no-install headgate check`, commit: that is all there is to it. */
import { consumer, defineGateway, model, provider, quota } from 'headgate';
import { noConfidential } from './policies/no-confidential.ts';
import { support } from './prompts/support.ts';

// Answers inside the gateway and needs no key: a stand-in until a vendor is added (README.md says how).
const sandbox = provider('sandbox', {
  kind: 'sandbox',
  models: { small: { contextWindow: 8_192, reply: 'You said: {{input}}' } },
});

// One count for each consumer, wherever it is attached.
export const perMinute = quota('per-minute', { unit: 'requests', limit: 60, window: '1m' });

// The name that clients ask for. Targets are tried in order until one answers.
export const assistant = model('assistant', {
  targets: [sandbox.target('small')],
  prompt: support.with({ company: 'Example Ltd', tone: 'friendly' }),
  policies: [noConfidential],
  quotas: [perMinute],
});

// Who may call. Only the hash of a key stands here; `npx --no-install headgate keys create` makes another one.
export const team = consumer('team', {
  keys: ['sha256:__KEY_HASH__'],
  models: [assistant],
});

export default defineGateway({ name: '__NAME__', models: [assistant], consumers: [team] });
