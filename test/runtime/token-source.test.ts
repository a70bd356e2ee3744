/** Tokens that end: one question for all who wait, renewal before the end, and what is said when one is refused. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { CredentialUnavailable } from '../../runtime/providers/provider.ts';
import { askToken, tokenSource, type Token } from '../../runtime/providers/token-source.ts';
import { answerJson, deadUrl, startScripted, type Script } from '../support/scripted-upstream.ts';

const patient = new AbortController().signal;

/** Somebody who gives out tokens `1`, `2`, … when told to. */
function giver() {
  const waiting: PromiseWithResolvers<Token>[] = [];
  let clock = 0;
  const source = tokenSource(
    async () => {
      const question = Promise.withResolvers<Token>();
      waiting.push(question);
      return question.promise;
    },
    () => clock,
  );
  return {
    source,
    asked: () => waiting.length,
    give: (seconds: number) =>
      waiting.at(-1)?.resolve({ text: String(waiting.length), endsAt: clock + seconds * 1000 }),
    refuse: () => waiting.at(-1)?.reject(new CredentialUnavailable('no')),
    pass: (seconds: number) => (clock += seconds * 1000),
  };
}

describe('a source of tokens', () => {
  test('asks once for all who wait, and keeps what it got', async () => {
    const { source, asked, give } = giver();
    const all = Promise.all([source(patient), source(patient), source(patient)]);
    assert.equal(asked(), 1);
    give(3600);
    assert.deepEqual([await all, await source(patient), asked()], [['1', '1', '1'], '1', 1]);
  });

  test('renews before the end, while the old one is still used', async () => {
    const { source, asked, give, pass } = giver();
    const first = source(patient);
    give(3600);
    await first;
    pass(3400);
    assert.equal(await source(patient), '1');
    assert.equal(await source(patient), '1');
    assert.equal(asked(), 2);
    give(3600);
    await new Promise(setImmediate);
    assert.equal(await source(patient), '2');
  });

  test('gives out none that is as good as over', async () => {
    const { source, give, pass } = giver();
    const first = source(patient);
    give(3600);
    await first;
    pass(3580);
    const second = source(patient);
    give(3600);
    assert.equal(await second, '2');
  });

  test('that fails to renew goes on with the old one, and asks again only after a while', async () => {
    const { source, asked, give, pass, refuse } = giver();
    const first = source(patient);
    give(3600);
    await first;
    pass(3400);
    await source(patient);
    refuse();
    await new Promise(setImmediate);
    assert.deepEqual([await source(patient), asked()], ['1', 2]);
    pass(11);
    assert.deepEqual([await source(patient), asked()], ['1', 3]);
  });

  test('asks anew after a refusal', async () => {
    const { source, give, refuse } = giver();
    const first = source(patient);
    refuse();
    await assert.rejects(first, CredentialUnavailable);
    const second = source(patient);
    give(3600);
    assert.equal(await second, '2');
  });

  test('lets go whoever leaves, and goes on for the others', async () => {
    const { source, asked, give } = giver();
    const leaving = new AbortController();
    const [left, stayed] = [source(leaving.signal), source(patient)];
    leaving.abort(new Error('left'));
    await assert.rejects(left, /left/);
    await assert.rejects(source(leaving.signal), /left/);
    give(3600);
    assert.deepEqual([await stayed, asked()], ['1', 1]);
  });
});

describe('a question for a token', () => {
  const open: { close(): Promise<void> }[] = [];
  after(async () => {
    await Promise.all(open.map((each) => each.close()));
  });
  const ask = async (script: Script) => {
    const upstream = await startScripted(script);
    open.push(upstream);
    return askToken({ url: `${upstream.url}/token`, form: { client_secret: 'hush' } }, patient);
  };
  const fails = async (script: Script, refused: boolean, pattern: RegExp) =>
    assert.rejects(ask(script), (error: Error) => {
      assert.equal(error instanceof CredentialUnavailable, refused, error.name);
      assert.match(error.message, pattern);
      assert.doesNotMatch(error.message + String(error.cause), /hush/);
      return true;
    });

  test('is a form, and its answer says how long', async () => {
    const { text, endsAt } = await ask(({ response, body, headers }) => {
      assert.deepEqual(
        [body, headers['content-type']?.split(';')[0]],
        ['client_secret=hush', 'application/x-www-form-urlencoded'],
      );
      answerJson(response, 200, { access_token: 'abc', expires_in: '100', token_type: 'Bearer' });
    });
    assert.equal(text, 'abc');
    assert.ok(Math.abs(endsAt - Date.now() - 100_000) < 10_000);
  });

  test('that is refused says so with a code, and never with a sentence', async () => {
    const refused = { error: 'invalid_client', error_description: 'Secret hush is wrong.' };
    await fails(({ response }) => answerJson(response, 401, refused), true, /401 \(invalid_client\)$/);
    await fails(({ response }) => answerJson(response, 400, { error: 'hush!' }), true, /status 400$/);
    await fails(({ response }) => answerJson(response, 403, '<html>'), true, /status 403$/);
  });

  test('is not answered by what is no token', async () => {
    for (const body of [
      {},
      [],
      { access_token: 'a\r\nb', expires_in: 9 },
      { access_token: 'a' },
      { access_token: 'a', expires_in: 0 },
    ])
      await fails(({ response }) => answerJson(response, 200, body), true, /without a token/);
    await fails(({ response }) => answerJson(response, 200, 'x'.repeat(70_000)), false, /more than a token/);
  });

  test('is not refused by somebody who is overloaded, away, or points elsewhere', async () => {
    await fails(({ response }) => answerJson(response, 503, {}), false, /503/);
    await fails(({ response }) => answerJson(response, 429, {}), false, /429/);
    await fails(
      ({ response }) => answerJson(response, 302, {}, { location: 'http://127.0.0.1:1/' }),
      false,
      /fetch failed/,
    );
    await assert.rejects(askToken({ url: await deadUrl() }, patient), /fetch failed/);
  });
});
