/** What a stream brings that only its own dialect can carry is named, and no name can break a header or a log line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventReader as anthropic } from '../../runtime/dialects/anthropic-messages/stream.ts';
import { eventReader as bedrock } from '../../runtime/dialects/bedrock-converse/stream.ts';
import type { EventReader, SseMessage } from '../../runtime/dialects/dialect.ts';
import { eventReader as gemini } from '../../runtime/dialects/gemini/stream.ts';
import { eventReader as responses } from '../../runtime/dialects/openai-responses/event-reader.ts';

const labels = (reader: EventReader, ...events: readonly [event: string, body: object][]): readonly string[] =>
  events
    .map(([event, body]): SseMessage => ({ event, data: JSON.stringify(body) }))
    .flatMap((message) => reader.read(message))
    .flatMap((event) => (event.type === 'opaque' ? event.label : []));

test('each dialect names the parts of a stream that have no neutral meaning', () => {
  const block = (type: string) => ({ type: 'content_block_start', index: 0, content_block: { type } });
  assert.deepEqual(
    labels(anthropic(), ['content_block_start', block('server_tool_use')], ['content_block_start', block('a\nb')]),
    ['server_tool_use', 'unnamed field'],
  );
  const parts = [{ text: 'a' }, { inlineData: { mimeType: 'image/png', data: 'AA==' } }, { 'a\nb': 1 }];
  assert.deepEqual(labels(gemini(), ['', { candidates: [{ content: { parts } }] }]), ['inlineData', 'unnamed field']);
  const delta = { contentBlockIndex: 1, delta: { reasoningContent: { redactedContent: 'AA==' } } };
  assert.deepEqual(
    labels(bedrock(), ['contentBlockStart', { start: { image: { format: 'png' } } }], ['contentBlockDelta', delta]),
    ['image', 'reasoningContent'],
  );
  const item = { type: 'web_search_call', id: 'ws_1' };
  assert.deepEqual(
    labels(responses(), ['response.output_item.done', { type: 'response.output_item.done', output_index: 0, item }]),
    ['web_search_call'],
  );
});
