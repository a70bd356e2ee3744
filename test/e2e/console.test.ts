import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import type { UsageReport } from '../../runtime/serve.ts';
import { artifactBranch, sourceOf } from '../support/artifact-branch.ts';
import { startWith } from '../support/gateway.ts';
import { initRepository, temporaryDirectory } from '../support/repository.ts';
import { skipWithout, tools } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { question, versioned } from '../support/versioned.ts';

const launch = () =>
  chromium.launch({
    executablePath: tools.chromium.find() ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });

test(
  'the console shows in a browser what is served, follows a swap, and says why a revision is held',
  { skip: skipWithout(tools.chromium), timeout: 60_000 },
  async (context) => {
    await using directory = await temporaryDirectory();
    const repository = join(directory.path, 'repository.git');
    await initRepository(repository, { bare: true });
    const branch = artifactBranch(repository);
    await branch.publish(versioned(1));
    const ledger = ['--ledger', join(directory.path, 'ledger')];
    const gateway = await startWith(['--repo', repository, '--poll', '200ms', '--bake', '0s', ...ledger]);
    context.after(() => gateway.close());
    const browser = await launch();
    context.after(() => browser.close());
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${gateway.adminUrl}/console`);
    const shows = (id: string, text: string) =>
      page.locator(`#${id}`).filter({ hasText: text }).waitFor({ timeout: 10_000 });
    await shows('revision', sourceOf(1).slice(0, 12));
    await shows('serving', 'which');
    await gateway.post('/v1/chat/completions', question());
    await shows('usage', 'tester');
    await branch.publish(versioned(2));
    await shows('revision', sourceOf(2).slice(0, 12));
    for (const model of ['which', 'other', 'other']) await gateway.post('/v1/chat/completions', question(model));
    await until('all of it is in the ledger', async () => {
      const answer = await fetch(`${gateway.adminUrl}/api/usage`);
      return ((await answer.json()) as UsageReport).total?.calls === 4;
    });
    await page.selectOption('#period', '7d');
    await shows('compared', sourceOf(2).slice(0, 12));
    assert.equal(await page.inputValue('#before'), sourceOf(1).slice(0, 12));
    await shows('compared', '66.67 %+66.7 points');
    await page.fill('#by-model', 'which');
    await page.selectOption('#by-ended', 'served');
    await page.click('#filter button');
    await page.locator('#calls tr:nth-child(3)').waitFor();
    assert.equal(await page.locator('#calls tr').count(), 3);
    assert.match((await page.locator('#calls tr:nth-child(2)').textContent()) ?? '', /model:whichtester.*served200/);
    assert.ok(await page.locator('#older').isHidden());
    await branch.publish({ ...versioned(3), surprise: true } as never);
    await shows('why', 'schema');
    await shows('state', 'HELD');
    await shows('revision', sourceOf(2).slice(0, 12));
    assert.deepEqual(complaints, []);
    if (process.env['SCREENSHOT']) await page.screenshot({ path: process.env['SCREENSHOT'], fullPage: true });
  },
);

test(
  'with an admin token the console asks for it and then shows what is served',
  { skip: skipWithout(tools.chromium), timeout: 60_000 },
  async (context) => {
    await using directory = await temporaryDirectory();
    const repository = join(directory.path, 'repository.git');
    await initRepository(repository, { bare: true });
    await artifactBranch(repository).publish(versioned(1));
    const tokenFile = join(directory.path, 'token');
    await writeFile(tokenFile, 'open-sesame\n');
    const gateway = await startWith(['--repo', repository, '--admin-token-file', tokenFile]);
    context.after(() => gateway.close());
    const browser = await launch();
    context.after(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`${gateway.adminUrl}/console`);
    await page.locator('#why').filter({ hasText: 'admin token' }).waitFor();
    await page.fill('#token', 'open-sesame');
    await page.click('#ask button');
    await page
      .locator('#revision')
      .filter({ hasText: sourceOf(1).slice(0, 12) })
      .waitFor();
    assert.ok(await page.locator('#ask').isHidden());
  },
);
