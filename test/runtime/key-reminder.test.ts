/** The log reminds of keys that will expire, once a day, on a clock that the test moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../runtime/log.ts';
import { KeyReminder } from '../../runtime/telemetry/key-reminder.ts';

test('keys are told from two weeks before they expire, once a day, the next first, and not when they have', (context) => {
  const day = 86_400_000;
  const end = Date.parse('2027-02-01T00:00:00Z');
  let now = end - 15 * day;
  let expiries = [
    { consumer: 'shop', key: 'abc', at: end },
    { consumer: 'desk', key: 'def', at: end - day },
    { consumer: 'far', key: '123', at: end + 365 * day },
  ];
  const told: string[] = [];
  const warn = (fields: { event: string; keys: { consumer: string; at: string }[]; count: number }) =>
    void told.push(`${fields.event} ${fields.count} ${fields.keys.map((key) => key.consumer).join()}`);
  const reminder = new KeyReminder({ expiries: () => expiries, log: { warn } as unknown as Log, now: () => now });
  context.after(() => reminder.close());
  const lookAt = (moment: number): string[] => {
    now = moment;
    reminder.look();
    return told.splice(0);
  };
  assert.deepEqual(lookAt(end - 15 * day - 1), []);
  assert.deepEqual(lookAt(end - 15 * day), ['keys_expire 1 desk']);
  assert.deepEqual(lookAt(end - 14 * day - 1), []);
  assert.deepEqual(lookAt(end - 14 * day), ['keys_expire 2 desk,shop']);
  assert.deepEqual(lookAt(end - day), ['keys_expire 1 shop']);
  assert.deepEqual(lookAt(end), []);
  expiries = Array.from({ length: 30 }, (_, index) => ({ consumer: `c${index}`, key: 'k', at: end + day }));
  assert.match(lookAt(end)[0] ?? '', /^keys_expire 30 c0,.*c19$/);
});
