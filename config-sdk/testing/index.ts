/** `headgate/test`: what the tests of a repository import. */
import { isDeepStrictEqual } from 'node:util';
import { ExpectationFailed } from './expectation.ts';
import { register } from './registry.ts';
import type { TestBody } from './kit.ts';

export type {
  AnyRequest,
  Caller,
  ChatMessage,
  Decided,
  GatewayUnderTest,
  ModelCall,
  TestBody,
  VirtualClock,
} from './kit.ts';

/** Declares a test. `headgate test` runs each with counts and a clock of its own. */
export function test(name: string, body: TestBody): void {
  register(test, name, body);
}

/** Expects two values to be the same through and through. */
export function same(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) throw new ExpectationFailed('two values differ', { expected, actual });
}
