/** Events that drip in are whole in the end, to the byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WholeEvents } from '../../runtime/upstream/whole-events.ts';

test('events that come byte by byte come out whole, however many pieces that are', () => {
  const events = new WholeEvents();
  const long = (letter: string) => `data: ${letter.repeat(5_000)}\n\n`;
  const text = long('a') + long('b') + 'data: short\n\n';
  const whole: string[] = [];
  for (const byte of Buffer.from(text)) {
    const found = events.add(Buffer.of(byte));
    if (found) whole.push(found.toString());
  }
  assert.deepEqual(whole, [long('a'), long('b'), 'data: short\n\n']);
});
