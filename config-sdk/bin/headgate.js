#!/usr/bin/env node
/** The `headgate` command. */
import { start } from '@headgate/runtime/bootstrap';

await start(import.meta.url, 'cli');
