/** The client of Redis, loaded by whoever connects first: most gateways have no Redis, and it weighs 15 MB. */
import type * as Client from 'ioredis';
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

export const loadClient = () => load('ioredis') as typeof Client;
