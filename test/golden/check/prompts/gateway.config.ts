import { consumer, defineGateway, from, model, prompt, provider } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const words: Record<string, string> = { name: 'Ada', tone: 'rude', product: 'y' };
const support = prompt('support', {
  system: 'Help {{name}} in a {{tone}} tone',
  choices: { tone: ['formal', 'casual'] },
  fixtures: {
    lacking: { name: 'Ada' } as never,
    outside: { name: 'Ada', tone: 'rude' },
  },
});
const odd = prompt('odd', { system: 'Hi {{first name}}', user: 'and {{' });
const bare = prompt('bare', { user: 'Dear {{who}}', choices: { whom: ['a'] } as never });
const bound = model('bound', { targets: [sandbox.target('echo')], prompt: support.with(words as never) });
const unbound = model('unbound', { targets: [sandbox.target('echo')], prompt: bare as never });
const spaced = model('spaced', { targets: [sandbox.target('echo')], prompt: odd.with({ 'first name': 'x' }) });
const header = model('header', {
  targets: [sandbox.target('echo')],
  prompt: support.with({ name: from.header('x-name'), tone: from.header('x-tone', { default: 'wild' } as never) }),
});
const typed = model('typed', {
  targets: [sandbox.target('echo')],
  prompt: support.with({ name: 'x', tone: 'loud' }),
});
export default defineGateway({ name: 'demo', models: [echo, bound, unbound, spaced, header, typed], consumers: [team] });
