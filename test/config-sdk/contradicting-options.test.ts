/** Options of which one would be dropped without a word: refused as wrong usage, with both names, before anything is read or asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../config-sdk/cli.ts';
import { BadQuestion, spanOf } from '../../runtime/admin/usage-question.ts';

const cases: readonly (readonly [words: string, complaint: RegExp])[] = [
  ['usage --since 1h --from 2027-01-01', /--since and --from both say where it begins/],
  ['usage --calls --since 1h --from 2027-01-01 --to 2027-02-01', /--since and --from both/],
  ['usage --compare aaaaaaa..bbbbbbb --since 1h', /--compare looks at all calls of both commits/],
  ['usage --by team --by model', /--by <names>.*given twice: 'team' and 'model'/],
  ['usage --since 1h --since 2h', /--since <duration>.*given twice: '1h' and '2h'/],
  ['explain file.json --id x', /the file of a request, or --id/],
  ['explain --id x --consumer a', /--consumer goes with the file/],
  ['explain --id x --commit HEAD', /--commit goes with the file/],
  ['explain --id x --dir .', /--dir goes with the file/],
  ['explain file.json --url http://127.0.0.1:1', /--url goes with --id/],
  ['explain file.json --token-file token', /--token-file goes with --id/],
  ['explain file.json --consumer a --key 12 --claims {}', /--key and --claims/],
  ['explain file.json --consumer a --claims {} --issuer corp', /--issuer and --consumer/],
  ['explain file.json --key 12', /--key goes with --consumer/],
  ['explain file.json --issuer corp', /--issuer goes with --claims/],
  ['explain file.json --at 2027-01-01 --at 2027-01-02', /--at <time>.*given twice/],
  ['plan --base a --base b', /--base <revision>.*given twice: 'a' and 'b'/],
  ['plan --json --format markdown', /'--json' cannot be used with option '--format <format>'/],
];

for (const [words, complaint] of cases)
  test(`headgate ${words} is wrong usage`, async (context) => {
    const written: string[] = [];
    context.mock.method(process.stderr, 'write', (text: string) => written.push(text) > 0);
    const code = await run(words.split(' '));
    process.exitCode = 0;
    assert.match(written.join(''), complaint);
    assert.equal(code, 2);
  });

test('the admin plane refuses two beginnings too', () => {
  assert.throws(() => spanOf({ since: '1h', from: '2027-01-01' }, 'UTC'), BadQuestion);
});
