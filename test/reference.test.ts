import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { pages } from '../docs/generate.ts';

for (const [name, text] of Object.entries(pages)) {
  test(`docs/reference/${name} says what the code says (npm run docs writes it)`, async () => {
    assert.equal(await readFile(new URL(`../docs/reference/${name}`, import.meta.url), 'utf8'), text);
  });
}
