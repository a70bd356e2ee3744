import { consumer, defineGateway, model, prompt, provider, quota } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });
import greeting from './prompts/greeting.md';
import limits from './limits.json' with { type: 'json' };
console.log('this is only noise', { "gateway": 1 });
const hello = prompt('hello', { system: greeting });
const free = quota('free', { unit: 'requests', limit: limits.free, window: '1h' });
const chat = model('chat', { targets: [sandbox.target('echo')], prompt: hello, quotas: [free] });
export default defineGateway({ name: 'demo', models: [echo, chat], consumers: [team] });
