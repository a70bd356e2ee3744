import { consumer, defineGateway, from, model, prompt, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { small: { contextWindow: 8_192 } } });

const letter = prompt('letter', {
  system: 'Write a letter to {{title}} {{name}} in a {{tone}} tone, signed {{team}}.',
  choices: { tone: ['warm', 'formal'] },
  fixtures: { usual: { title: 'Dr', name: 'Ada', tone: 'warm', team: 'clinic' } },
});

const letters = model('letters', {
  targets: [sandbox.target('small')],
  prompt: letter.with({
    title: from.header('x-title'),
    name: from.metadata('name'),
    tone: from.header('x-tone', { default: 'warm' }),
    team: from.metadata('team'),
  }),
});

const clinic = consumer('clinic', {
  keys: ['sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1'],
});

export default defineGateway({ name: 'acme', models: [letters], consumers: [clinic] });
