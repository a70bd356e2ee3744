import { consumer, defineGateway, model, prompt, provider, route, secret, upstream } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const team = consumer('team', { keys: ['sha256:0000000000000000000000000000000000000000000000000000000000000001'] });

const billing = upstream('billing', { url: 'http://billing.example.com', headers: { 'x-key': secret('BILLING_KEY') } });
const bills = route('bills', { path: '/bills/', upstream: billing });
const spare = prompt('spare', { system: 'Help {{name}}.' });
const spareDesk = model('spare-desk', { targets: [sandbox.target('echo')], prompt: spare.with({ name: '' }) });

export default defineGateway({ name: 'demo', models: [echo, spareDesk], routes: [bills], consumers: [team], accept: [
    { code: 'credential_in_clear', in: billing, reason: 'the address is inside the VPN' },
    { code: 'route_trailing_slash', in: 'gateway.config.ts', reason: 'old clients ask with a slash' },
    { code: 'prompt_without_fixture', reason: 'fixtures follow with the evaluation' },
    { code: 'prompt_value_empty', in: spareDesk, reason: 'the name is filled in by hand' },
  ] });
