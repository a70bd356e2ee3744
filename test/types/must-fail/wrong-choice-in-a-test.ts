/** A test renders a prompt with a value that is not one of the words a variable may be. */
import { test } from 'headgate/test';
import { support } from './shared.ts';

test('a rude tone', ({ gateway }) => {
  gateway.render(support, { name: 'Ada', tone: 'rude' });
  //                                     ^ "casual" | "formal"
});
