#!/usr/bin/env node
/** `headgate serve` without the authoring package: for images that only run the gateway. */
import { start } from './bootstrap.js';

await start(import.meta.url, 'main');
