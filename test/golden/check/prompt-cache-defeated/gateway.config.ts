import { consumer, defineGateway, from, model, prompt, provider } from 'headgate';
import handbook from './handbook.md';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const house = prompt('house', {
  system: `You help in a {{tone}} tone. ${handbook}`,
  choices: { tone: ['friendly', 'formal'] },
  fixtures: { usual: { tone: 'formal' } },
});

const chat = model('chat', { targets: [sandbox.target('echo')], prompt: house.with({ tone: from.header('x-tone') }) });

export default defineGateway({ name: 'demo', models: [echo, chat], consumers: [team] });
