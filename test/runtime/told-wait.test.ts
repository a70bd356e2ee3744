/** How long upstreams ask to be left alone: every unit and place that vendors say it in. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limitResetMs, toldWaitMs, usedUpMs, type AnswerHeaders } from '../../runtime/upstream/told-wait.ts';

const now = Date.parse('2026-11-22T10:00:00Z');

describe('a wait that is told', () => {
  const cases: readonly (readonly [string, AnswerHeaders, number | undefined])[] = [
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['parts of a second', { 'retry-after': '0.5' }, 500],
    ['no time at all', { 'retry-after': '0' }, 0],
    ['an HTTP date', { 'retry-after': 'Sun, 22 Nov 2026 10:00:30 GMT' }, 30_000],
    ['an HTTP date that is over', { 'retry-after': 'Sun, 22 Nov 2026 09:00:00 GMT' }, 0],
    ['a length of time, against the standard', { 'retry-after': '1m30s' }, 90_000],
    ['a Unix time, against the standard', { 'retry-after': String(now / 1000 + 20) }, 20_000],
    ['milliseconds', { 'retry-after-ms': '250' }, 250],
    ['milliseconds before seconds', { 'retry-after-ms': '250', 'retry-after': '1' }, 250],
    ['more than a day', { 'retry-after': '1000000' }, 86_400_000],
    ['a word', { 'retry-after': 'soon' }, undefined],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['nothing', {}, undefined],
    ['a header that came twice', { 'retry-after': ['3', '9'] }, 3_000],
  ];
  for (const [what, headers, expected] of cases)
    test(`in ${what} is read in its true unit`, () => assert.equal(toldWaitMs(headers, undefined, now), expected));

  // ai.google.dev/gemini-api/docs/troubleshooting and google.rpc.RetryInfo: a Duration in JSON is seconds with an `s`.
  const error = (retryDelay: unknown) => ({
    error: {
      code: 429,
      status: 'RESOURCE_EXHAUSTED',
      details: [
        { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [] },
        { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay },
      ],
    },
  });
  test('in the body, as RetryInfo, is read where no header says it', () => {
    assert.equal(toldWaitMs({}, error('34.07s') as never, now), 34_070);
    assert.equal(toldWaitMs({ 'retry-after': '2' }, error('34s') as never, now), 2_000);
    for (const odd of ['soon', 34, null]) assert.equal(toldWaitMs({}, error(odd) as never, now), undefined);
    assert.equal(toldWaitMs({}, { error: { details: 'none' } }, now), undefined);
  });
});

describe('the reset of a limit', () => {
  const cases: readonly (readonly [string, AnswerHeaders, number | undefined])[] = [
    [
      'whose tokens are used up, among requests that are not',
      {
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-limit-tokens': '150000',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '6m0s',
      },
      360_000,
    ],
    [
      'that is tightest, where none is used up',
      {
        'x-ratelimit-limit-requests': '14400',
        'x-ratelimit-remaining-requests': '14000',
        'x-ratelimit-reset-requests': '23h10m0.5s',
        'x-ratelimit-limit-tokens': '6000',
        'x-ratelimit-remaining-tokens': '40',
        'x-ratelimit-reset-tokens': '7.66s',
      },
      7_660,
    ],
    [
      'in RFC 3339',
      {
        'anthropic-ratelimit-requests-limit': '50',
        'anthropic-ratelimit-requests-remaining': '49',
        'anthropic-ratelimit-requests-reset': '2026-11-22T10:00:01Z',
        'anthropic-ratelimit-input-tokens-limit': '20000',
        'anthropic-ratelimit-input-tokens-remaining': '0',
        'anthropic-ratelimit-input-tokens-reset': '2026-11-22T10:00:40Z',
      },
      40_000,
    ],
    ['in Unix milliseconds', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now + 9_000) }, 9_000],
    ['in Unix seconds', { 'x-ratelimit-reset': String(now / 1000 + 5) }, 5_000],
    ['in seconds', { 'ratelimit-reset': '12' }, 12_000],
    ['in milliseconds', { 'x-ratelimit-reset-requests': '12ms' }, 12],
    [
      'of two that are used up, the later one',
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '2s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '5s',
      },
      5_000,
    ],
    [
      'that is no limit',
      { 'x-ratelimit-limit-tokens': '-1', 'x-ratelimit-remaining-tokens': '-1', 'x-ratelimit-reset-tokens': '0' },
      undefined,
    ],
    ['that nobody states', { 'x-request-id': 'reset' }, undefined],
  ];
  for (const [what, headers, expected] of cases)
    test(`${what} is read in its true unit`, () => assert.equal(limitResetMs(headers, now), expected));

  test('beside a good answer counts only where nothing is left', () => {
    const headers = (left: string) => ({ 'x-ratelimit-remaining-requests': left, 'x-ratelimit-reset-requests': '20s' });
    assert.equal(usedUpMs(headers('0'), now), 20_000);
    assert.equal(usedUpMs(headers('1'), now), undefined);
    assert.equal(usedUpMs({ 'x-ratelimit-reset-requests': '20s' }, now), undefined, 'nobody says what is left');
  });
});
