/** What this gateway is for, as expectations: `npx --no-install headgate test` decides each request as the gateway would, offline. */
import { same, test } from 'headgate/test';
import { assistant, perMinute, team } from '../gateway.config.ts';
import { support } from '../prompts/support.ts';

test('the team may ask the assistant', async ({ gateway }) => {
  (await gateway.ask({ model: assistant, consumer: team })).isAdmitted().goesTo('sandbox/small').draws(perMinute, 1);
});

test('nobody else may', async ({ gateway }) => {
  (await gateway.ask({ model: assistant })).isRefused('missing_api_key');
});

test('what is confidential goes nowhere', async ({ gateway }) => {
  const messages = [{ role: 'user', content: 'This is COMPANY CONFIDENTIAL.' }] as const;
  (await gateway.ask({ model: assistant, consumer: team, messages })).isRefused('blocked_by_policy');
});

test('a minute allows sixty requests', async ({ gateway }) => {
  for (let used = 1; used <= 60; used += 1)
    (await gateway.ask({ model: assistant, consumer: team })).draws(perMinute, used);
  (await gateway.ask({ model: assistant, consumer: team })).isRefused('quota_exceeded');
  gateway.clock.advance('1m');
  (await gateway.ask({ model: assistant, consumer: team })).draws(perMinute, 1);
});

test('the prompt names the company', ({ gateway }) => {
  same(
    gateway.render(support, { company: 'Ada & Co', tone: 'formal' }).system,
    'You answer questions about Ada & Co in a formal tone. When you do not know, say so.',
  );
});
