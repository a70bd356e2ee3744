/** The tests that were declared since the process started. */
import { callSite, type Site } from '../site.ts';
import type { TestBody } from './kit.ts';

export interface Registered {
  readonly name: string;
  readonly body: TestBody;
  readonly site: Site;
}

const tests: Registered[] = [];

export const registered = (): readonly Registered[] => tests;

export function register(declarer: (...parameters: never[]) => unknown, name: string, body: TestBody): void {
  tests.push({ name, body, site: callSite(declarer) });
}
