import { consumer, defineGateway, from, model, prompt, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const greeting = prompt('greeting', { user: 'Greet {{name}}.', fixtures: { usual: { name: 'Ada' } } });
const echo = model('echo', {
  targets: [sandbox.target('echo')],
  prompt: greeting.with({ name: from.body('name') }),
});
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

export default defineGateway({ name: 'demo', models: [echo], consumers: [team] });
