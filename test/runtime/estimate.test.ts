/** The token estimate against a real tokenizer, over the sorts of text that conversations are made of. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { estimateTokens } from '../../runtime/context/estimate.ts';

const digests = (encoding: 'hex' | 'base64', count = 40) =>
  Array.from({ length: count }, (_, index) => createHash('sha256').update(String(index)).digest(encoding));
const source = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const people = Array.from({ length: 20 }, (_, index) => ({
  id: 1_000 + index * 37,
  name: ['Ada Lovelace', 'Alan Turing', 'Grace Hopper'][index % 3],
  email: `user${index}@example.com`,
  active: index % 2 === 0,
  balance: index * 13.37,
  created_at: `2024-0${1 + (index % 9)}-1${index % 10}T12:3${index % 6}:00Z`,
}));

const samples: Readonly<Record<string, string>> = {
  'English prose': `The committee met on a grey Tuesday in March, and nobody expected much to come of it. "We have been
    here before," said the chairwoman, folding her hands; the minutes from 1987 said very nearly the same thing. Still,
    there was coffee, there were biscuits, and by half past four an agreement of sorts had been reached: the bridge
    would be painted, though not yet, and not green. It's peculiar, isn't it, how small decisions outlive their makers?`,
  'English chat': 'hey, can u check why my order #48213 hasn’t shipped yet?? i paid on friday & got no email… thx!!',
  'English in capitals': 'WARNING: DO NOT OPEN THE HOUSING WHILE THE DEVICE IS CONNECTED TO THE MAINS SUPPLY.',
  German: `Die Sitzung des Ausschusses begann an einem grauen Dienstag im März, und niemand erwartete viel davon. „Das
    hatten wir schon einmal“, sagte die Vorsitzende; im Protokoll von 1987 stand beinahe dasselbe. Die
    Straßenverkehrsordnung und das Bundesausbildungsförderungsgesetz wurden nur am Rande erwähnt.`,
  French: `Le comité s’est réuni un mardi gris de mars, et personne n’en attendait grand-chose. « Nous avons déjà vu
    cela », dit la présidente en joignant les mains ; vers quatre heures et demie on parvint à un accord.`,
  Polish: `Komisja zebrała się w szary marcowy wtorek i nikt nie spodziewał się wiele. „Już to przerabialiśmy” –
    powiedziała przewodnicząca, składając ręce; w protokole z 1987 roku napisano prawie to samo.`,
  Turkish: 'Komite, mart ayının gri bir salı günü toplandı ve kimse bundan pek bir şey beklemiyordu.',
  Russian: `Комитет собрался в серый мартовский вторник, и никто не ждал от этого многого. «Мы это уже проходили», —
    сказала председательница, складывая руки; в протоколе за 1987 год стояло почти то же самое.`,
  Arabic: 'اجتمعت اللجنة في يوم ثلاثاء رمادي من شهر مارس، ولم يكن أحد يتوقع الكثير. ومع ذلك كانت هناك قهوة.',
  Hindi: 'समिति मार्च के एक धूसर मंगलवार को मिली, और किसी को इससे बहुत उम्मीद नहीं थी।',
  Chinese: `委员会在三月一个灰蒙蒙的星期二开会，没有人对此抱有太大期望。主席合起双手说：“我们以前也来过这里。”一九八七年的会议
    记录几乎写着同样的话。不过，有咖啡，有饼干，到四点半的时候，大家勉强达成了一致。`,
  Japanese: '委員会は三月の灰色の火曜日に開かれたが、誰も大した成果を期待していなかった。それでもコーヒーはあった。',
  Korean: '위원회는 삼월의 어느 흐린 화요일에 열렸고, 아무도 큰 기대를 하지 않았다. 그래도 커피와 과자가 있었다.',
  emoji: '😀😂🤣❤️🔥👍🏽🎉🚀👩‍👩‍👧‍👦🇩🇪✨🙏💯😭🥺🤷‍♀️📎🧵☕️',
  'prose with emoji': 'Great job team 🎉🚀! See you at 5 👋😊 – can’t wait ❤️🔥 lol 😂😂',
  TypeScript: source('runtime/edge.ts') + source('runtime/pipeline/dispatch.ts'),
  'JSON, indented': JSON.stringify(people, null, 2),
  'JSON, compact': JSON.stringify(people),
  'a lock file': source('package-lock.json').slice(0, 20_000),
  SQL: `SELECT o.id, c.name, SUM(l.quantity * l.unit_price) AS total FROM orders o JOIN customers c ON c.id = o.customer_id
    WHERE o.created_at >= '2024-01-01' AND o.status IN ('paid','shipped') GROUP BY o.id, c.name ORDER BY total DESC;`,
  HTML: '<div class="card"><h2 id="title">Hello</h2><p>Some <b>bold</b> text &amp; more.</p></div>\n'.repeat(5),
  'minified code': `!function(e,t){"object"==typeof exports&&"undefined"!=typeof module?t(exports):"function"==typeof define&&
    define.amd?define(["exports"],t):t((e=e||self).d3=e.d3||{})}(this,function(e){"use strict";var t,n,r=[].slice;});`,
  'a table': '┌──────┬──────┐\n│ a    │ b    │\n├──────┼──────┤\n│ 1    │ 2    │\n└──────┴──────┘\n'.repeat(4),
  'a log': Array.from(
    { length: 30 },
    (_, index) =>
      `2024-11-22T04:1${index % 10}:03.12Z INFO [exec-${index}] OrderController - GET /orders/${index * 991} 200`,
  ).join('\n'),
  CSV: Array.from({ length: 60 }, (_, index) => `${index},${(index * 7_919) % 10_007},${index / 8}`).join('\n'),
  hex: digests('hex').join(''),
  'lines of hex': digests('hex').join('\n'),
  base64: Buffer.from(digests('hex').join(''), 'hex').toString('base64'),
  'random letters': digests('base64', 30)
    .join('')
    .replaceAll(/[^a-z]/g, ''),
  UUIDs: digests('hex')
    .map((digest) => digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5'))
    .join('\n'),
  'one letter': 'a'.repeat(3_000),
  spaces: ' '.repeat(2_000),
  dashes: '-'.repeat(2_000),
  'empty lines': 'line\n\n\n'.repeat(200),
};

for (const [name, text] of Object.entries(samples)) {
  test(`${name}: at most a tenth under and six tenths over the real count`, () => {
    const real = countTokens(text, { disallowedSpecial: new Set() });
    const ratio = estimateTokens(text) / real;
    assert.ok(ratio >= 0.9 && ratio <= 1.6, `estimated ${estimateTokens(text)} of ${real}, ratio ${ratio.toFixed(2)}`);
  });
}

test('what tokenizers take for markup of their own is text like any other', () => {
  assert.ok(estimateTokens('<|endoftext|>') > 2);
  assert.equal(estimateTokens(''), 0);
});

test('a megabyte of anything takes milliseconds', () => {
  for (const piece of ['a', ' ', '中', '{', '\n', '1', '\u{1f600}', 'aB', '\ud800']) {
    const text = piece.repeat(1_000_000 / piece.length);
    const started = performance.now();
    estimateTokens(text);
    const took = performance.now() - started;
    assert.ok(took < 500, `${JSON.stringify(piece)}: ${took} ms`);
  }
});

test('a longer text is never cheaper', () => {
  const text = Object.values(samples).join('\n');
  let before = 0;
  for (let length = 0; length < text.length; length += 997) {
    const tokens = estimateTokens(text.slice(0, length));
    assert.ok(tokens >= before - 1, `${tokens} after ${before}`);
    before = tokens;
  }
});
