/** What the reference gateway is for, as expectations: `npx --no-install headgate test`. */
import { test } from 'headgate/test';

test('the web shop starts at the sandbox and falls back to vendors', async ({ gateway }) => {
  const asked = await gateway.ask({ model: 'assistant', consumer: 'web-shop' });
  asked.isAdmitted().goesTo('sandbox/small', 'openai/gpt-6-luna', 'anthropic/claude-haiku-4-5').keepsAll();
});

test('one answer of the support desk in ten comes from the spare', async ({ gateway }) => {
  const asked = await gateway.ask({ model: 'support-desk', consumer: 'web-shop' });
  asked.startsAt({ 'sandbox/small': 0.9, 'sandbox/spare': 0.1 });
});

test('what is confidential goes nowhere', async ({ gateway }) => {
  const messages = [{ role: 'user', content: 'This is COMPANY CONFIDENTIAL.' }] as const;
  const asked = await gateway.ask({ model: 'assistant', consumer: 'web-shop', messages });
  asked.isRefused('blocked_by_policy');
});

test('the web shop may not use what is for operations', async ({ gateway }) => {
  (await gateway.ask({ model: 'fallback-demo', consumer: 'web-shop' })).isRefused('model_not_allowed');
});

test('sixty requests a minute, and a new minute begins at its boundary', async ({ gateway }) => {
  gateway.clock.set('2028-02-29T23:59:30Z');
  for (let used = 1; used <= 60; used += 1)
    (await gateway.ask({ model: 'assistant', consumer: 'web-shop' })).draws('per-minute', used);
  (await gateway.ask({ model: 'support-desk', consumer: 'web-shop' })).isRefused('quota_exceeded');
  (await gateway.ask({ model: 'assistant', consumer: 'operations' })).draws('per-minute', 1);
  gateway.clock.advance('30s');
  (await gateway.ask({ model: 'assistant', consumer: 'web-shop' })).draws('per-minute', 1);
});

test('search makes vectors, of nothing confidential', async ({ gateway }) => {
  const ask = (input: string) =>
    gateway.send({ path: '/v1/embeddings', consumer: 'operations', body: { model: 'search', input } });
  (await ask('a red bicycle')).isAdmitted().goesTo('sandbox/vectors');
  (await ask('COMPANY CONFIDENTIAL')).isRefused('blocked_by_policy');
});
