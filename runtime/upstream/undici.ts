/** undici, loaded by whoever first needs it: what most gateways do goes by a client of our own, and it is a hundred modules. */
import { createRequire } from 'node:module';
import type * as Undici from 'undici';

const load = createRequire(import.meta.url);

export const loadUndici = () => load('undici') as typeof Undici;
