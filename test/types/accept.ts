/** Which findings a configuration may accept: codes complete, and those that must never pass do not compile. */
import { defineGateway, model, provider, secret, upstream } from 'headgate';
import type { Acceptance } from 'headgate';

const sandbox = provider('sandbox', { kind: 'sandbox', models: { echo: { contextWindow: 8_192 } } });
const echo = model('echo', { targets: [sandbox.target('echo')] });
const orders = upstream('orders', { url: 'http://orders.example.com', headers: { 'x-auth': secret('ORDERS') } });

const reason = 'the address is inside the VPN';
defineGateway({
  name: 'demo',
  models: [echo],
  consumers: [],
  accept: [
    { code: 'credential_in_clear', in: orders, reason },
    { code: 'unused_file', in: 'prompts/draft.md', reason },
    { code: 'near_duplicate_name', in: sandbox, reason },
    { code: 'no_consumers', reason },
    // @ts-expect-error -- a credential in git is never right
    { code: 'secret_literal', reason },
    // @ts-expect-error -- nor is code that differs between machines
    { code: 'impure_code', reason },
    // @ts-expect-error -- what the schema refuses cannot be served
    { code: 'invalid_value', reason },
    // @ts-expect-error -- there is no such code
    { code: 'no_such_code', reason },
    // @ts-expect-error -- an exception says why
    { code: 'plain_http', in: orders },
    // @ts-expect-error -- it is about an object
    { code: 'plain_http', in: 5, reason },
  ],
});
export const code: Acceptance['code'] = 'quota_never_binds';
